"""Imitate old photographs: the effects of film, print and age on lightness."""

import numpy as np
from scipy.ndimage import gaussian_filter

__all__ = ["age"]

_GAMMA = 2.2  # approximate tone curve of sRGB: film adds up light, not pixel values
_PANCHROMATIC = (0.299, 0.587, 0.114)


def age(rgb, rng):
    """Turn a color image into a gray image that looks like an old photograph.

    Each effect is random: the film's response to red, green and blue, the tone curve, fading,
    vignetting, blur and grain. Orthochromatic film, used before the 1920s, hardly responds to red.

    Args:
        rgb: uint8 array of shape `(height, width, 3)`.
        rng: `numpy.random.Generator`.

    Returns:
        uint8 array of shape `(height, width)`.

    References:
        DeOldify and Luo et al., "Time-Travel Rephotography", SIGGRAPH Asia 2021 (the response of
        old film to color).

    Example:
        >>> red = np.full((8, 8, 3), (255, 0, 0), "uint8")
        >>> age(red, np.random.default_rng(0)).shape
        (8, 8)
    """
    height, width = rgb.shape[:2]
    if rng.random() < 0.5:
        response = np.array([rng.uniform(0.0, 0.2), rng.uniform(0.3, 0.7), rng.uniform(0.1, 0.6)])
        response /= response.sum()
    else:
        response = np.array(_PANCHROMATIC)
    light = (rgb / 255.0) ** _GAMMA @ response
    gray = light ** (np.exp(rng.normal(0.0, 0.25)) / _GAMMA)
    if rng.random() < 0.4:
        gray = gaussian_filter(gray, rng.uniform(0.3, 1.2))
    if rng.random() < 0.3:
        y, x = np.ogrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
        gray = gray * (1 - rng.uniform(0.0, 0.3) * (x**2 + y**2))
    black, white = rng.uniform(0.0, 0.2), rng.uniform(0.8, 1.0)
    gray = black + (white - black) * gray
    if rng.random() < 0.5:
        grain = rng.normal(size=gray.shape)
        if rng.random() < 0.5:
            grain = gaussian_filter(grain, 0.7) * 2.5  # coarse, with about the same deviation
        gray = gray + rng.uniform(0.0, 0.05) * grain
    return np.uint8(np.clip(gray, 0, 1) * 255 + 0.5)
