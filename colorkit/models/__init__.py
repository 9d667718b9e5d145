"""Networks that color images, and networks that evaluate colors.

Each builder returns an uncompiled functional `keras.Model`:

    Builder                       Paper                     Predicts
    ----------------------------  ------------------------  ----------------------------------------
    build_dense_regression        Champati et al.           chroma, for one size
    build_conv_regression         Champati et al.           chroma
    build_conv_classification     Champati et al.           logits over bins
    build_zhang                   Zhang et al. 2016         logits of every 4th pixel, or chroma
    build_coherent                after Stellbrink          logits over bins, smoothed up to edges
    build_coherent_as_published   Stellbrink                logits over bins, coherent
    build_simple_convnet          Han                       chroma
    build_shallow_classification  Han                       logits over bins
    build_additive_unet           Han                       chroma, as a generator
    build_picture_discriminator   Han                       one logit per image: real or predicted
    build_autoencoder             Sinigaglia et al.         chroma
    build_deep_cnn                Sinigaglia et al.         chroma
    build_unet                    Sinigaglia et al.         chroma, or logits over bins
    build_resnet                  Sinigaglia et al.         chroma
    build_densenet                Sinigaglia et al.         chroma
    build_pix2pix_generator       Isola et al. 2017         chroma, as a generator
    build_patch_discriminator     Isola et al. 2017         one logit per patch: real or predicted
    build_residual_unet           this package              chroma, or logits over bins, and classes
    build_pretrained_unet         this package              chroma or logits of every 2nd pixel
    build_vgg_classifier          Simonyan, Zisserman 2015  logits over classes, from RGB
    build_residual_classifier     He et al. 2016            logits over classes, from RGB
    build_efficientnet_lite0      Tan, Le 2019              features of every 32nd pixel, from RGB
    build_vgg_features            Simonyan, Zisserman 2015  features
    build_vae                     Kingma, Welling 2014      RGB, from RGB

`Adversarial` trains a network that predicts chroma with a discriminator. The other functions load
a classifier, start from trained weights, or smooth predictions.

Unless a docstring says otherwise, the input is lightness `(H, W, 1)` and the output is chroma
`(H, W, C)` or logits `(H, W, num_bins)`. H and W are the height and width of an image in pixels. C
is 2 in Lab and YUV and 3 in RGB. Lightness and chroma are in the natural units of the space, see
`colorkit.color.spaces`. Where the table names RGB or classes, they are `(H, W, 3)` in [0, 1] and
logits `(num_classes,)`.

Args:
    num_bins: Number of color bins to predict logits for, or `None` to predict chroma.
    num_classes: Number of classes to predict logits for.
    space: `ColorSpace` of lightness and chroma, or its name: "lab", "yuv" or "rgb".
    input_shape: `(H, W, 1)`; `None` sides accept any size.
    widths, filters: Channels of each level or convolution, the full size first.
    num_blocks: Number of blocks, per level where there are levels.
    conditional: Whether a discriminator takes `[lightness, chroma]`, or chroma alone.
    upsampling: How a decoder doubles the size. "resize" resizes bilinearly before a convolution.
        "transpose" uses transposed convolutions, which cause checkerboard artifacts (Odena,
        Dumoulin, Olah, "Deconvolution and Checkerboard Artifacts", Distill 2016).
    name: Name of the model.

Raises:
    ValueError: If `space` or `upsampling` is unknown, or a width or `num_bins` is not positive.

Example:
    >>> model = build_unet(widths=(8, 16))
    >>> model.compute_output_shape((1, 33, 50, 1))
    (1, 33, 50, 2)

To load a model that `model.save` wrote, import `colorkit` before `keras.saving.load_model`.
"""

from colorkit.models.adversarial import Adversarial
from colorkit.models.champati import (
    build_conv_classification,
    build_conv_regression,
    build_dense_regression,
)
from colorkit.models.classifier import (
    build_residual_classifier,
    build_vgg_classifier,
    load_classifier,
)
from colorkit.models.efficientnet import build_efficientnet_lite0
from colorkit.models.han import (
    build_additive_unet,
    build_picture_discriminator,
    build_shallow_classification,
    build_simple_convnet,
)
from colorkit.models.pix2pix import build_patch_discriminator, build_pix2pix_generator
from colorkit.models.pretrained import build_pretrained_unet, freeze_encoder
from colorkit.models.sinigaglia import (
    build_autoencoder,
    build_deep_cnn,
    build_densenet,
    build_resnet,
    build_unet,
)
from colorkit.models.stellbrink import (
    build_coherent,
    build_coherent_as_published,
    smooth_predictions,
)
from colorkit.models.transfer import copy_weights, replace_head
from colorkit.models.unet import build_residual_unet
from colorkit.models.vae import build_vae
from colorkit.models.vgg import build_vgg_features
from colorkit.models.zhang import build_zhang

__all__ = [
    "Adversarial", "build_additive_unet", "build_autoencoder", "build_coherent",
    "build_coherent_as_published", "build_conv_classification", "build_conv_regression",
    "build_deep_cnn", "build_dense_regression", "build_densenet", "build_efficientnet_lite0",
    "build_patch_discriminator", "build_picture_discriminator", "build_pix2pix_generator",
    "build_pretrained_unet", "build_residual_classifier", "build_residual_unet", "build_resnet",
    "build_shallow_classification", "build_simple_convnet", "build_unet", "build_vae",
    "build_vgg_classifier", "build_vgg_features", "build_zhang", "copy_weights", "freeze_encoder",
    "load_classifier", "replace_head", "smooth_predictions",
]  # fmt: skip
