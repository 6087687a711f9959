"""Pictures of strangers, decoded with suspicion and written anew in the widths a shop needs."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from io import BytesIO

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from PIL import Image, ImageOps, UnidentifiedImageError

from apps.core.errors import DomainError

# SVG isn't among them: it is a document with scripts, not a picture.
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "AVIF")
WIDTHS = (160, 320, 640, 1280)
# No rendition is taller than this many times its width (WebP ends at 16,383 pixels).
MAX_RATIO = 4
QUALITY = 82
# A JPEG is decoded at a fraction of its size; the others whole, at up to 16 bytes a pixel.
_WHOLE = 4
_ORIENTATION, _SIDEWAYS = 0x0112, (5, 6, 7, 8)


class InvalidImage(DomainError):
    code = "invalid_image"
    message = _("This isn't a picture in JPEG, PNG, WebP, GIF or AVIF.")


@dataclass(frozen=True, slots=True)
class Encoded:
    """A WebP file, with its size in pixels."""

    width: int
    height: int
    body: bytes


def encode_renditions(data: bytes) -> list[Encoded]:
    """The picture in `data` in ascending widths, upright, without metadata, never enlarged.

    Raises InvalidImage for what isn't one of `FORMATS`, is broken, or has too many pixels: more
    than `IMAGE_MAX_PIXELS` for a JPEG, a quarter of it for the others.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            _verify(data)
            picture = _decode(data)
    except InvalidImage:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_large() from error
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError) as error:
        raise InvalidImage() from error
    widths = sorted({min(width, picture.width) for width in WIDTHS})
    return [_encode(picture, width) for width in widths]


def _too_large() -> InvalidImage:
    return InvalidImage(_("The picture has too many pixels."))


def _verify(data: bytes) -> None:
    with Image.open(BytesIO(data), formats=FORMATS) as picture:
        # The header's word, before anything is decoded.
        limit = settings.IMAGE_MAX_PIXELS
        if picture.format != "JPEG":
            limit //= _WHOLE
        if picture.width * picture.height > limit:
            raise _too_large()
        picture.verify()


def _decode(data: bytes) -> Image.Image:
    """The first frame, no larger than the largest rendition, upright, RGB or RGBA."""
    with Image.open(BytesIO(data), formats=FORMATS) as picture:
        box = (WIDTHS[-1], WIDTHS[-1] * MAX_RATIO)
        if picture.getexif().get(_ORIENTATION) in _SIDEWAYS:
            box = box[1], box[0]
        # Before anything else needs memory: a JPEG isn't even decoded in full.
        picture.draft("RGB", _fitting(picture.size, box))
        if picture.mode in ("RGB", "RGBA", "L"):
            picture.thumbnail(box, Image.Resampling.LANCZOS)
        upright = ImageOps.exif_transpose(picture)
        upright = upright.convert("RGBA" if upright.has_transparency_data else "RGB")
    upright.thumbnail((WIDTHS[-1], WIDTHS[-1] * MAX_RATIO), Image.Resampling.LANCZOS)
    return upright


def _fitting(size: tuple[int, int], box: tuple[int, int]) -> tuple[int, int]:
    ratio = min(1.0, box[0] / size[0], box[1] / size[1])
    return max(1, round(size[0] * ratio)), max(1, round(size[1] * ratio))


def _encode(picture: Image.Image, width: int) -> Encoded:
    copy = picture.copy()
    copy.thumbnail((width, width * MAX_RATIO), Image.Resampling.LANCZOS)
    # A file without the original's EXIF, comments or profile.
    copy.info = {}
    out = BytesIO()
    copy.save(out, "WEBP", quality=QUALITY, method=4)
    return Encoded(copy.width, copy.height, out.getvalue())
