"""Sending items back, claims, and the withdrawal from a contract in two steps."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from apps.core.errors import DomainError, NotFound
from apps.core.files import private_file
from apps.orders.models import Order
from apps.returns import services, states
from apps.returns.models import ReturnPhoto, ReturnRequest
from apps.returns.selectors import (
    PHOTO_TYPE,
    Estimate,
    estimate_json,
    exchanges_of,
    label_document,
    read_photo,
    return_json,
    returns_for_reading,
    terms_of,
)
from apps.shop.pages.base import Page
from apps.shop.pages.checkout import order_address
from apps.shop.pages.forms import ReturnForm, WithdrawForm
from apps.shop.pages.orders import OrderPage, label_address, return_address, withdraw_address


class AskReturn(OrderPage):
    """The terms and the form; `look` shows what it would give back, before it is asked for."""

    def get(self, request: HttpRequest, number: str) -> HttpResponse:
        order = self.order(number)
        return self._show(order, self._form(order))

    def post(self, request: HttpRequest, number: str) -> HttpResponse:
        order = self.order(number)
        form = self._form(order, request.POST, request.FILES)
        if not form.is_valid():
            return self._show(order, form, status=400)
        try:
            if "look" in request.POST:
                return self._show(order, form, self._look(order, form))
            made = self._ask(order, form)
        except DomainError as error:
            form.add_error(None, str(error))
            return self._show(order, form, status=error.status)
        messages.success(request, _("We have your request, and look at it."))
        return redirect(return_address(order, made))

    def _form(self, order: Order, *data: Any) -> ReturnForm:
        has_account = order.customer is not None and order.customer.user_id is not None
        terms = terms_of(order)
        exchanges = exchanges_of(order, [one.line for one in terms])
        return ReturnForm(*data, terms=terms, exchanges=exchanges, has_account=has_account)

    def _look(self, order: Order, form: ReturnForm) -> Estimate:
        kind = form.cleaned_data["kind"]
        return services.preview_return(order=order, wishes=form.wishes(), kind=kind)

    def _ask(self, order: Order, form: ReturnForm) -> ReturnRequest:
        names = ("kind", "refund_to", "note")
        return services.request_return(
            order=order,
            wishes=form.wishes(),
            photos=services.take_photos(order=order, files=form.cleaned_data["photos"]),
            **{name: form.cleaned_data[name] for name in names},
        )

    def _show(
        self, order: Order, form: ReturnForm, found: Estimate | None = None, status: int = 200
    ) -> HttpResponse:
        return self.show(
            "return_form",
            status,
            order=order,
            form=form,
            found=estimate_json(found, order.currency) if found else None,
            order_address=order_address(order),
            withdraw_address=withdraw_address(order, form.terms),
        )


class ReturnPage(OrderPage):
    """What has become of a return; a POST gives it up."""

    def get(self, request: HttpRequest, number: str, return_id: UUID) -> HttpResponse:
        order, found = self._return(number, return_id)
        is_open = found.status in (states.REQUESTED, states.APPROVED)
        labels = dict(ReturnRequest.Status.choices)
        made = found.replacement_order
        label = found.label
        is_bought = label is None or label.status == label.Status.BOUGHT
        may_send = found.status == states.APPROVED and not found.is_claim and is_bought
        return self.show(
            "return",
            order=order,
            found=found,
            amounts=return_json(found)["amounts"],
            happened=[
                (e.created_at, labels[e.to_status]) for e in found.timeline.all() if e.to_status
            ],
            pictures=[
                return_address(order, found, photo=photo)
                for photo in found.photos.all()
                if photo.status == ReturnPhoto.Status.READY
            ],
            label=label,
            label_address=label_address(order, found) if may_send else "",
            replacement_address=order_address(made) if made else "",
            is_open=is_open and found.kind != ReturnRequest.Kind.WITHDRAWAL,
            order_address=order_address(order),
        )

    def post(self, request: HttpRequest, number: str, return_id: UUID) -> HttpResponse:
        order, found = self._return(number, return_id)
        try:
            services.cancel_return(request=found)
        except DomainError as error:
            messages.error(request, str(error))
        return redirect(return_address(order, found))

    def _return(self, number: str, return_id: UUID) -> tuple[Order, ReturnRequest]:
        order = self.order(number)
        found = returns_for_reading().filter(order=order, public_id=return_id).first()
        if found is None:
            raise NotFound()
        return order, found


class ReturnLabelPage(ReturnPage):
    """The label to be printed, or the paper with the return's number."""

    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest, number: str, return_id: UUID) -> HttpResponseBase:
        _order, found = self._return(number, return_id)
        body, content_type = label_document(found)
        return private_file(body, f"{found.number}.pdf", content_type, is_shown=True)


class ReturnPhotoPage(ReturnPage):
    """A picture that the customer sent, for them alone."""

    http_method_names = ["get", "head"]

    def get(
        self, request: HttpRequest, number: str, return_id: UUID, photo_id: UUID
    ) -> HttpResponse:
        _order, found = self._return(number, return_id)
        response = HttpResponse(read_photo(found, photo_id), content_type=PHOTO_TYPE)
        response["Cache-Control"] = "private, max-age=3600"
        return response


class Withdraw(Page):
    """Directive 2011/83/EU, article 11a: a statement, then its confirmation.

    For who only knows the order's number and e-mail address; it tells nothing of what there is.
    """

    def get(self, request: HttpRequest) -> HttpResponse:
        number = request.GET.get("number", "")[:30]
        return self._step("withdraw", WithdrawForm(initial={"number": number}))

    def post(self, request: HttpRequest) -> HttpResponse:
        form = WithdrawForm(request.POST)
        if not form.is_valid():
            return self._step("withdraw", form, 400)
        if "confirm" not in request.POST:
            return self._step("withdraw_confirm", form)
        try:
            services.withdraw_by_number(
                store=self.store,
                language=get_language() or self.store.language,
                **form.cleaned_data,
            )
        except DomainError as error:
            form.add_error(None, str(error))
            return self._step("withdraw", form, error.status)
        return self._step("withdrawn", form)

    def _step(self, template: str, form: WithdrawForm, status: int = 200) -> HttpResponse:
        return self.show(template, status, form=form)


class WithdrawOrder(OrderPage):
    """The same from the order's own page: number and name are filled in."""

    def get(self, request: HttpRequest, number: str) -> HttpResponse:
        order = self.order(number)
        names = (order.billing_address.get(n, "") for n in ("first_name", "last_name"))
        initial = {"name": " ".join(names).strip(), "number": number, "email": order.email}
        return self._step("withdraw", order, WithdrawForm(initial=initial))

    def post(self, request: HttpRequest, number: str) -> HttpResponse:
        order = self.order(number)
        form = WithdrawForm({**request.POST.dict(), "number": order.number})
        if not form.is_valid():
            return self._step("withdraw", order, form, 400)
        if "confirm" not in request.POST:
            return self._step("withdraw_confirm", order, form)
        try:
            services.withdraw(
                order=order,
                name=form.cleaned_data["name"],
                email=form.cleaned_data["email"],
                language=get_language() or order.language,
            )
        except DomainError as error:
            form.add_error(None, str(error))
            return self._step("withdraw", order, form, error.status)
        return self._step("withdrawn", order, form)

    def _step(
        self, template: str, order: Order, form: WithdrawForm, status: int = 200
    ) -> HttpResponse:
        return self.show(
            template, status, form=form, order=order, order_address=order_address(order)
        )
