from apps.invoices.services.files import (
    MOST_IN_A_BATCH,
    BadBatch,
    ask_batch,
    forget_batches,
    mail_invoice,
    make_batch,
    pdf_of,
)
from apps.invoices.services.issuing import (
    LinesDisagree,
    NothingToInvoice,
    SellerIncomplete,
    bring_up_to_date,
    issue_invoice,
    reissue_invoice,
)
from apps.invoices.services.keeping import (
    credit_refund,
    credit_return,
    follow_edit,
    follow_split,
    issue_all_missing,
    issue_if_due,
    issue_missing,
)

__all__ = [
    "MOST_IN_A_BATCH",
    "BadBatch",
    "LinesDisagree",
    "NothingToInvoice",
    "SellerIncomplete",
    "ask_batch",
    "bring_up_to_date",
    "credit_refund",
    "credit_return",
    "follow_edit",
    "follow_split",
    "forget_batches",
    "issue_all_missing",
    "issue_if_due",
    "issue_invoice",
    "issue_missing",
    "mail_invoice",
    "make_batch",
    "pdf_of",
    "reissue_invoice",
]
