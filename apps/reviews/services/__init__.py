from apps.reviews.services.answering import answer_review, mail_answer, withdraw_answer
from apps.reviews.services.inviting import invite_buyers
from apps.reviews.services.merging import move_reviews
from apps.reviews.services.moderating import approve_review, reject_review
from apps.reviews.services.photos import process_due, prune_uploads
from apps.reviews.services.reporting import report_review
from apps.reviews.services.uploads import receive_upload, start_upload, take_photos
from apps.reviews.services.voting import OwnReview, vote_helpful
from apps.reviews.services.writing import change_review, delete_review, write_review

__all__ = [
    "OwnReview",
    "answer_review",
    "approve_review",
    "change_review",
    "delete_review",
    "invite_buyers",
    "mail_answer",
    "move_reviews",
    "process_due",
    "prune_uploads",
    "receive_upload",
    "reject_review",
    "report_review",
    "start_upload",
    "take_photos",
    "vote_helpful",
    "withdraw_answer",
    "write_review",
]
