"""Model builders, which return an uncompiled functional `keras.Model` from lightness.

To load a model that `model.save` wrote, import `colorkit.models` before
`keras.saving.load_model`. If the model was compiled, import `colorkit.losses` and
`colorkit.metrics` as well. `Colorizer.save` and `Colorizer.load` need no further import.
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
from colorkit.models.plain import build_autoencoder, build_deep_cnn
from colorkit.models.pretrained import build_pretrained_unet, freeze_encoder
from colorkit.models.residual import build_densenet, build_resnet
from colorkit.models.stellbrink import (
    build_coherent,
    build_coherent_as_published,
    smooth_predictions,
)
from colorkit.models.transfer import copy_weights, replace_head
from colorkit.models.unet import build_residual_unet, build_unet
from colorkit.models.vae import build_vae
from colorkit.models.vgg import build_vgg_features
from colorkit.models.zhang import build_zhang

__all__ = [
    "build_unet",
    "build_resnet",
    "build_densenet",
    "build_deep_cnn",
    "build_autoencoder",
    "build_simple_convnet",
    "build_shallow_classification",
    "build_picture_discriminator",
    "build_additive_unet",
    "Adversarial",
    "build_coherent",
    "build_coherent_as_published",
    "build_conv_classification",
    "build_conv_regression",
    "build_dense_regression",
    "build_patch_discriminator",
    "build_efficientnet_lite0",
    "build_pix2pix_generator",
    "build_pretrained_unet",
    "freeze_encoder",
    "build_residual_classifier",
    "build_residual_unet",
    "build_vae",
    "build_vgg_classifier",
    "build_vgg_features",
    "build_zhang",
    "copy_weights",
    "load_classifier",
    "replace_head",
    "smooth_predictions",
]
