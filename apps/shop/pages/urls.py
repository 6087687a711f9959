"""Addresses of the shop."""

from django.urls import path
from django.views.i18n import set_language

from apps.shop.pages import (
    account,
    alerts,
    cart,
    catalogue,
    checkout,
    choices,
    orders,
    paying,
    products,
    recovery,
    returns,
    reviews,
    second_factor,
    wishes,
)

app_name = "shop"
urlpatterns = [
    path("", catalogue.HomePage.as_view(), name="home"),
    path("search/", catalogue.ListPage.as_view(), name="search"),
    path("categories/<slug:slug>/", catalogue.CategoryPage.as_view(), name="category"),
    path("collections/<slug:slug>/", catalogue.CollectionPage.as_view(), name="collection"),
    path("products/<slug:slug>/", products.ProductPage.as_view(), name="product"),
    path("products/<slug:slug>/reviews/", reviews.ReviewsPage.as_view(), name="reviews"),
    path("products/<slug:slug>/reviews/write/", reviews.WriteReview.as_view(), name="review"),
    path("reviews/<uuid:review_id>/report/", reviews.ReportPage.as_view(), name="report"),
    path("currency/", choices.CurrencyChoice.as_view(), name="currency"),
    path("language/", set_language, name="language"),
    path("cart/", cart.CartPage.as_view(), name="cart"),
    path("cart/lines/", cart.AddLine.as_view(), name="add"),
    path("cart/lines/<uuid:line_id>/", cart.ChangeLine.as_view(), name="line"),
    path("cart/codes/", cart.Codes.as_view(), name="codes"),
    path("checkout/", checkout.AddressStep.as_view(), name="checkout"),
    path("checkout/shipping/", checkout.ShippingStep.as_view(), name="shipping"),
    path("checkout/payment/", checkout.PaymentStep.as_view(), name="payment"),
    path("checkout/returned/", checkout.Returned.as_view(), name="returned"),
    path("orders/<str:number>/", orders.OrderPage.as_view(), name="order"),
    path("orders/<str:number>/pay/", orders.PayPage.as_view(), name="pay"),
    path(
        "orders/<str:number>/invoices/<uuid:invoice_id>/",
        orders.InvoiceFile.as_view(),
        name="invoice",
    ),
    path("orders/<str:number>/status/", orders.OrderStatus.as_view(), name="order-status"),
    path("orders/<str:number>/returns/", returns.AskReturn.as_view(), name="ask-return"),
    path(
        "orders/<str:number>/returns/<uuid:return_id>/",
        returns.ReturnPage.as_view(),
        name="return",
    ),
    path("orders/<str:number>/withdraw/", returns.WithdrawOrder.as_view(), name="withdraw-order"),
    path(
        "account/sign-out/everywhere/",
        account.SignOutEverywhere.as_view(),
        name="sign-out-everywhere",
    ),
    path("account/sign-in/code/", second_factor.CodePage.as_view(), name="code"),
    path("account/second-factor/", second_factor.SecondFactorPage.as_view(), name="second-factor"),
    path("password/", recovery.Forgotten.as_view(), name="forgotten"),
    path("password/<uuid:uid>/<str:token>/", recovery.NewPassword.as_view(), name="new-password"),
    path("verify/<uuid:uid>/<str:token>/", recovery.VerifyEmail.as_view(), name="verify-email"),
    path("verify/", recovery.ResendVerification.as_view(), name="resend-verification"),
    path("withdraw/", returns.Withdraw.as_view(), name="withdraw"),
    path("pay/<str:token>/", paying.PayLinkPage.as_view(), name="pay-link"),
    path("pay/<str:token>/form/", paying.PayLinkForm.as_view(), name="pay-link-form"),
    path("wishlist/", wishes.WishlistPage.as_view(), name="wishlist"),
    path("wishlist/add/", wishes.AddWish.as_view(), name="wish"),
    path("wishlist/remove/", wishes.RemoveWish.as_view(), name="unwish"),
    path("wishlist/lists/", wishes.MakeWishlist.as_view(), name="make-wishlist"),
    path("wishlist/<uuid:list_id>/", wishes.WishlistPage.as_view(), name="a-wishlist"),
    path(
        "wishlist/<uuid:list_id>/change/", wishes.ChangeWishlist.as_view(), name="change-wishlist"
    ),
    path(
        "wishlist/<uuid:list_id>/<uuid:item_id>/", wishes.ChangeWish.as_view(), name="change-wish"
    ),
    path("wishlists/<str:token>/", wishes.SharedWishlist.as_view(), name="shared-wishlist"),
    path("alerts/", alerts.AskAlert.as_view(), name="ask-alert"),
    path("alerts/<str:token>/", alerts.AlertPage.as_view(), name="alert"),
    path("account/", account.Account.as_view(), name="account"),
    path("account/sign-in/", account.SignIn.as_view(), name="sign-in"),
    path("account/sign-out/", account.SignOut.as_view(), name="sign-out"),
    path("account/register/", account.Register.as_view(), name="register"),
    path("account/reviews/", reviews.MyReviews.as_view(), name="my-reviews"),
    path("account/reviews/<uuid:review_id>/", reviews.MyReview.as_view(), name="my-review"),
]
