"""Motion between frames of a film: where each pixel was before, and planes moved along."""

import numpy as np
from PIL import Image
from scipy.ndimage import map_coordinates
from skimage.registration import optical_flow_ilk

# Short side, in pixels, at which motion is estimated.
_SIDE = 96


def estimated(lightness, before):
    """Estimate where each pixel was before, `(2, height, width)`, from L `(height, width, 1)`."""
    height, width = lightness.shape[:2]
    scale = min(1.0, _SIDE / min(height, width))
    small = round(width * scale), round(height * scale)
    images = (
        Image.fromarray(x[..., 0]).resize(small, Image.Resampling.BOX) for x in (lightness, before)
    )
    flow = optical_flow_ilk(*(np.asarray(image) / 100 for image in images), num_warp=3)
    large = [Image.fromarray(x).resize((width, height), Image.Resampling.BILINEAR) for x in flow]
    return np.mgrid[:height, :width] + np.stack(large) / scale


def moved(planes, places, fill):
    """Return planes `(height, width, channels)` at places, with `fill` from outside the image."""
    planes = np.moveaxis(planes, -1, 0)
    return np.stack([map_coordinates(x, places, order=1, cval=fill) for x in planes], axis=-1)
