"""What is personal in imports: nothing, they bring products, prices and stock."""

from apps.core.personal import impersonal, impersonal_texts
from apps.integrations.models import ImportJob, RefusedRow, WaitingRelation

impersonal_texts(
    ImportJob,
    "format file original_name file_hash counts preview refusals notes header error_file error",
)
impersonal(RefusedRow, WaitingRelation)
