"""The back office's pages of people, roles and keys, and its log-in form.

Who may change people can't thereby become somebody: roles are given by whoever may change
roles, superusers are touched by superusers alone.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.auth.admin import GroupAdmin as BaseGroupAdmin
from django.contrib.auth.admin import UserAdmin as BaseUserAdmin
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from unfold.forms import (
    AdminPasswordChangeForm,
    AuthenticationForm,
    UserChangeForm,
    UserCreationForm,
)
from unfold.widgets import (
    UnfoldAdminPasswordWidget,
    UnfoldAdminSelectMultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
)

from apps.accounts.models import (
    ApiKey,
    ApiKeyBill,
    ApiKeyUsage,
    ApiPlan,
    IdentityProvider,
    User,
    normalize_email,
)
from apps.accounts.services.api_keys import (
    change_api_key,
    create_api_key,
    revoke_api_key,
    rotate_api_key,
    save_plan,
)
from apps.accounts.services.roles import ROLES
from apps.accounts.services.second_factor import take_away
from apps.core import audit
from apps.core.admin import LimitInline, ModelAdmin, ReadOnlyAdmin, ReadOnlyTabularInline
from apps.core.admin_actions import Action, extend_actions
from apps.core.context import current_actor
from apps.core.errors import DomainError, RateLimited
from apps.core.fields import AmountModelForm
from apps.core.networks import NetworksField
from apps.core.secrets import seal


class LoginForm(AuthenticationForm):
    """The form of the admin; says so when the attempts are used up."""

    def clean(self) -> dict[str, Any]:
        try:
            return super().clean()
        except RateLimited as error:
            raise ValidationError(str(error), code=error.code) from error


admin.site.login_form = LoginForm


class _EmailForm(forms.ModelForm):
    def clean_email(self) -> str:
        return normalize_email(self.cleaned_data["email"])


class NewUserForm(_EmailForm, UserCreationForm):
    pass


class UserForm(_EmailForm, UserChangeForm):
    language = forms.ChoiceField(
        label=_("Language"),
        choices=[("", "—"), *settings.LANGUAGES],
        required=False,
        widget=UnfoldAdminSelectWidget,
    )


@admin.register(User)
class UserAdmin(BaseUserAdmin, ModelAdmin):
    form = UserForm
    add_form = NewUserForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("email", "first_name", "last_name", "is_staff", "is_active", "last_login")
    list_filter = ("is_staff", "is_active", "groups")
    search_fields = ("email", "first_name", "last_name")
    ordering = ("-pk",)
    readonly_fields = ("last_login", "created_at", "email_verified_at", "has_second_factor")
    filter_horizontal = ("user_permissions",)
    export_fields = ("email", "first_name", "last_name", "is_staff", "is_active", "last_login")
    fieldsets = (
        (None, {"fields": ("email", "password")}),
        (_("Person"), {"fields": ("first_name", "last_name", "language")}),
        (
            _("Access"),
            {
                "fields": (
                    "is_active",
                    "is_staff",
                    "has_second_factor",
                    "groups",
                    "is_superuser",
                    "user_permissions",
                )
            },
        ),
        (_("Dates"), {"fields": ("last_login", "created_at", "email_verified_at")}),
    )
    add_fieldsets = (
        (None, {"fields": ("email", "first_name", "last_name")}),
        (_("Password"), {"fields": ("usable_password", "password1", "password2")}),
    )

    def get_inlines(self, request: HttpRequest, obj: User | None) -> list[Any]:
        """Only staff are limited."""
        inlines = super().get_inlines(request, obj)
        is_staff = obj is not None and obj.is_staff
        return [one for one in inlines if is_staff or not issubclass(one, LimitInline)]

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None or self.has_change_permission(request, obj):
            return fieldsets
        # Read-only, Django would show the hash of the password itself.
        return ((None, {"fields": ("email",)}), *fieldsets[1:])

    def get_form(
        self, request: HttpRequest, obj: User | None = None, change: bool = False, **kwargs: Any
    ) -> type[forms.ModelForm]:
        if obj is not None and not self.has_change_permission(request, obj):
            kwargs["form"] = AmountModelForm
        return super().get_form(request, obj, change=change, **kwargs)

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        fields = [*super().get_readonly_fields(request, obj)]
        if not request.user.is_superuser:
            fields += ["is_superuser", "user_permissions"]
        if not _may_give_roles(request):
            fields += ["is_staff", "groups"]
        return fields

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        allowed = super().has_change_permission(request, obj)
        return allowed and (obj is None or _may_touch(request, obj))

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        allowed = super().has_delete_permission(request, obj)
        return allowed and (obj is None or _may_touch(request, obj))

    def user_change_password(
        self,
        request: HttpRequest,
        id: str,  # noqa: A002 (Django's name)
        form_url: str = "",
    ) -> HttpResponse:
        response = super().user_change_password(request, id, form_url)
        user = self.get_object(request, unquote(id))
        if request.method == "POST" and response.status_code == 302 and user is not None:
            audit.record("change_password", user)
        return response


extend_actions(
    User,
    Action(
        name="reset_second_factor",
        label=_("Take the second factor away"),
        done=_("The second factor is off, and every session has ended."),
        permission="auth.change_group",
        run=lambda user, data: take_away(user=user),
        offered=lambda user: user.has_second_factor and not user.is_superuser,
        icon="lock_reset",
        is_danger=True,
    ),
)


def _may_give_roles(request: HttpRequest) -> bool:
    """Nobody who is limited gives rights that aren't."""
    return request.user.has_perm("auth.change_group") and not current_actor().limits


def _may_touch(request: HttpRequest, user: User) -> bool:
    """Whoever may set somebody's password may become them."""
    if user.is_superuser:
        return request.user.is_superuser
    return not user.is_staff or user.pk == request.user.pk or _may_give_roles(request)


class ProviderForm(forms.ModelForm):
    """The secret is written, never shown; an empty field keeps it."""

    secret = forms.CharField(
        label=_("client secret"),
        required=False,
        strip=True,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
        help_text=_("Empty: as it is. It is encrypted, and never shown."),
    )

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        data, needs_issuer = self.cleaned_data, IdentityProvider.Kind.OIDC
        if data.get("kind") == needs_issuer and not data.get("issuer", "").startswith("https://"):
            self.add_error("issuer", _("An address with https:// is needed."))
        return cleaned


@admin.register(IdentityProvider)
class IdentityProviderAdmin(ModelAdmin):
    """Switched off, not deleted, once people sign in by it."""

    form: Any = ProviderForm
    list_display = ("name", "kind", "slug", "is_active")
    ordering = ("name",)
    fields = (
        *("name", "slug", "kind", "issuer", "client_id", "secret"),
        *("trusts_email", "is_active"),
    )

    def save_model(
        self, request: HttpRequest, obj: IdentityProvider, form: Any, change: bool
    ) -> None:
        if secret := form.cleaned_data["secret"]:
            obj.client_secret = seal({"secret": secret})
        super().save_model(request, obj, form, change)


admin.site.unregister(Group)


@admin.register(Group)
class GroupAdmin(BaseGroupAdmin, ModelAdmin):
    """The product's roles are kept by `sync_roles`; other groups are the merchant's own."""

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return super().has_change_permission(request, obj) and not _is_role(obj)

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return super().has_delete_permission(request, obj) and not _is_role(obj)


def _is_role(group: Group | None) -> bool:
    return group is not None and group.name in ROLES


@admin.register(ApiPlan)
class ApiPlanAdmin(ModelAdmin):
    list_display = (
        "name",
        "code",
        "calls_per_minute",
        "quota",
        "period",
        "overage_price",
        "is_default",
    )
    search_fields = ("name", "code")
    prepopulated_fields = {"code": ("name",)}
    fields = (
        "name",
        "code",
        "calls_per_minute",
        "quota",
        "period",
        "overage_price",
        "currency",
        "is_default",
    )

    def save_model(self, request: HttpRequest, obj: ApiPlan, form: Any, change: bool) -> None:
        save_plan(plan=obj)
        if change:
            self.audit_change(obj, form)


@admin.register(ApiKeyUsage)
class ApiKeyUsageAdmin(ReadOnlyAdmin):
    list_display = ("day", "key", "calls", "errors")
    list_select_related = ("key",)
    list_filter = ("day",)
    search_fields = ("key__name", "key__prefix")
    date_hierarchy = "day"
    ordering = ("-day", "-pk")
    export_fields = ("day", "key__name", "key__prefix", "calls", "errors")


@admin.register(ApiKeyBill)
class ApiKeyBillAdmin(ReadOnlyAdmin):
    list_display = ("month", "key", "calls", "billable_calls", "amount")
    list_select_related = ("key",)
    search_fields = ("key__name", "key__prefix")
    fields = ("key", "month", "calls", "billable_calls", "amount", "created_at")
    ordering = ("-month", "-pk")
    export_fields = ("month", "key__name", "calls", "billable_calls", "amount", "currency")


class UsageInline(ReadOnlyTabularInline):
    """The last days."""

    model = ApiKeyUsage
    fields = ("day", "calls", "errors")
    ordering = ("-day",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApiKeyUsage]:
        since = timezone.now().date() - timedelta(days=31)
        return super().get_queryset(request).filter(day__gte=since)


@admin.register(ApiKey)
class ApiKeyAdmin(ModelAdmin):
    """Made, rotated and revoked; its scopes and its user never change."""

    list_display = ("name", "prefix", "user", "plan", "last_used_at", "expires_at", "revoked_at")
    list_select_related = ("user", "plan")
    search_fields = ("name", "prefix", "user__email")
    ordering = ("-pk",)
    actions = ("rotate", "revoke")

    def get_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> Any:
        if obj is not None:
            return (*_KEPT, "plan", "allowed_networks")
        user = ["user"] if request.user.is_superuser else []
        return ("name", *user, "scopes", "plan", "allowed_networks", "expires_at")

    def get_readonly_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> Any:
        return _KEPT if obj is not None else ()

    def get_inlines(self, request: HttpRequest, obj: Any) -> list[Any]:
        return [] if obj is None else [UsageInline, *super().get_inlines(request, obj)]

    def has_delete_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        return False

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("accounts.delete_apikey")

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "scopes":
            mine = sorted(request.user.get_all_permissions())
            return forms.MultipleChoiceField(
                label=capfirst(db_field.verbose_name),
                choices=[(name, name) for name in mine],
                widget=UnfoldAdminSelectMultipleWidget(attrs={"size": 16}),
                help_text=_("What the key may do; never more than its user may."),
            )
        if db_field.name == "allowed_networks":
            return NetworksField(
                label=capfirst(db_field.verbose_name),
                required=False,
                widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
                help_text=db_field.help_text,
            )
        if db_field.name == "user":
            kwargs["queryset"] = User.objects.filter(is_staff=True, is_active=True)
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"user": request.user.pk, **super().get_changeform_initial_data(request)}

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return super().changeform_view(request, *args, **kwargs)
        except DomainError as error:
            self.message_user(request, str(error), messages.ERROR)
            return redirect(request.get_full_path())

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:
        if change:
            change_api_key(key=obj, **form.cleaned_data)
            return
        key, secret = create_api_key(created_by=request.user, **form.cleaned_data)
        obj.pk = key.pk
        obj.refresh_from_db()
        self._tell(request, key, secret)

    def log_addition(self, request: HttpRequest, obj: ApiKey, message: Any) -> None:
        """The service has written the audit log."""

    @admin.action(
        description=_("Rotate selected keys: the former ones work for a day"),
        permissions=["change"],
    )
    def rotate(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        for key in queryset.select_related("user"):
            try:
                secret = rotate_api_key(key=key, by=request.user, overlap_hours=24)
            except DomainError as error:
                self.message_user(request, f"{key}: {error}", messages.ERROR)
            else:
                self._tell(request, key, secret)

    @admin.action(description=_("Revoke selected keys"), permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        for key in queryset:
            revoke_api_key(key=key)
        self.message_user(request, _("The keys are revoked."))

    def _tell(self, request: HttpRequest, key: ApiKey, secret: str) -> None:
        text = _("Copy the key now, it is shown only this once: %s") % secret
        self.message_user(request, f"{key.name}: {text}", messages.WARNING)


_KEPT = (
    "name",
    "prefix",
    "user",
    "scopes",
    "expires_at",
    "previous_expires_at",
    "revoked_at",
    "last_used_at",
)
