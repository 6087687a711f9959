from apps.returns.services.deciding import NoReason, approve_return, cancel_return, decline_return
from apps.returns.services.exchanging import refund_instead
from apps.returns.services.labels import (
    ask_about_return,
    ask_due_returns,
    buy_by_policy,
    buy_label,
    drive_unwanted,
    reconcile_labels,
    void_label,
)
from apps.returns.services.lifecycle import ReturnRefused
from apps.returns.services.mails import mail_label, mail_return, mail_withdrawal
from apps.returns.services.photos import (
    UnknownPhoto,
    process_photos,
    prune_photos,
    receive_upload,
    start_upload,
    take_photos,
)
from apps.returns.services.policies import PolicyTaken, delete_policy, save_policy
from apps.returns.services.receiving import Finding, WrongPieces, inspect_return, receive_return
from apps.returns.services.refunding import (
    NotRefundable,
    pay_out,
    record_refund,
    refund_or_ask,
    refund_return,
    retry_refund,
)
from apps.returns.services.replacing import NotExchangeable, lines_to_settle, propose
from apps.returns.services.requesting import (
    ConditionNotAccepted,
    NoAccount,
    NoRightOfWithdrawal,
    NotReturnable,
    ReturnWindowOver,
    UnknownLine,
    Wish,
    preview_return,
    request_return,
)
from apps.returns.services.withdrawing import withdraw, withdraw_by_number

__all__ = [
    "ConditionNotAccepted",
    "Finding",
    "NoAccount",
    "NoReason",
    "NoRightOfWithdrawal",
    "NotExchangeable",
    "NotRefundable",
    "NotReturnable",
    "PolicyTaken",
    "ReturnRefused",
    "ReturnWindowOver",
    "UnknownLine",
    "UnknownPhoto",
    "Wish",
    "WrongPieces",
    "approve_return",
    "ask_about_return",
    "ask_due_returns",
    "buy_by_policy",
    "buy_label",
    "cancel_return",
    "decline_return",
    "delete_policy",
    "drive_unwanted",
    "inspect_return",
    "lines_to_settle",
    "mail_label",
    "mail_return",
    "mail_withdrawal",
    "pay_out",
    "preview_return",
    "process_photos",
    "propose",
    "prune_photos",
    "receive_return",
    "receive_upload",
    "reconcile_labels",
    "record_refund",
    "refund_instead",
    "refund_or_ask",
    "refund_return",
    "request_return",
    "retry_refund",
    "save_policy",
    "start_upload",
    "take_photos",
    "void_label",
    "withdraw",
    "withdraw_by_number",
]
