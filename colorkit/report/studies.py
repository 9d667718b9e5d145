"""Studies: tables that compare experiments on the datasets they were run on."""

import dataclasses

from colorkit.report import tables


@dataclasses.dataclass(frozen=True)
class Study:
    """Experiments that answer one question, and the metrics that compare them.

    Attributes:
        title: Subject of the comparison.
        rows: Dict from label to the name of an experiment.
        metrics: Dict from column title to a metric, or another number of a record.
    """

    title: str
    rows: dict
    metrics: dict


_VIVIDNESS = {
    "colorfulness": "colorfulness",
    "AuC, rebalanced": "ab_auc_rebalanced",
    "threshold accuracy": "threshold_accuracy",
    "occupied bins": "occupied_bins",
    "PSNR": "psnr",
}
_COST = {
    "weights": "parameters",
    "ms per image": "training_milliseconds",
    "minutes": "minutes",
}
_EVERYTHING = {
    "MAE": "mae",
    "MSE": "mse",
    "Huber": "huber",
    "cross-entropy": "binary_crossentropy",
    "PSNR": "psnr",
    "SSIM": "ssim",
    "threshold accuracy": "threshold_accuracy",
    "colorfulness": "colorfulness",
    "occupied bins": "occupied_bins",
    "CIEDE2000": "ciede2000",
    "AuC": "ab_auc",
    "AuC, rebalanced": "ab_auc_rebalanced",
    "bleeding": "bleeding",
    "chroma gradient error": "chroma_gradient_error",
}

COLORFUL = Study(
    "Bins and L2 regression",
    {"313 bins, rebalanced": "coherence/colorful-32", "L2 regression": "coherence/regression-32"},
    _VIVIDNESS | {"AuC": "ab_auc"},
)


def _coherence(side):
    rows = {
        "colorful": f"coherence/colorful-{side}",
        "colorful, luminance gate": f"coherence/colorful-gated-{side}",
        "colorful, as published": f"coherence/colorful-{side}-as-published",
        "as published": f"coherence/published-{side}",
        "the equations": f"coherence/equations-{side}",
        "+ rebalanced gradients": f"coherence/rebalanced-{side}",
        "+ luminance gate": f"coherence/gated-{side}",
        "+ held firmly": f"coherence/held-{side}",
        "enlarged": f"coherence/enlarged-{side}",
        "blurred": f"coherence/blurred-{side}",
        "smoothed once": f"coherence/once-{side}",
        "smoothed, small steps first": f"coherence/upwards-{side}",
        "smoothed": f"coherence/coherent-{side}",
        "corrected": f"coherence/corrected-{side}",
        "smoothed and corrected": f"coherence/coherent-corrected-{side}",
    }
    metrics = {
        "bleeding": "bleeding",
        "colorfulness": "colorfulness",
        "threshold accuracy": "threshold_accuracy",
        "chroma gradient error": "chroma_gradient_error",
        "occupied bins": "occupied_bins",
        "dominant hue": "dominant_hue",
    }
    return Study(f"Coherence at {side} pixels", rows, metrics)


COHERENCE = {side: _coherence(side) for side in (32, 64)}

CONVNETS = Study(
    "Han's three networks",
    {
        kind.replace("-", " "): f"convnets/{kind}"
        for name in ("simple", "classification", "adversarial")
        for kind in (f"{name}-as-coded", name)
    },
    _VIVIDNESS | {"PSNR, colors as predicted": "published/psnr", "bleeding": "bleeding"} | _COST,
)

_NETWORKS = {
    "autoencoder": "autoencoder",
    "deep CNN": "deep-cnn",
    "U-Net": "unet",
    "ResNet": "resnet",
    "DenseNet": "densenet",
}
_LOSSES = ("mse", "mae", "huber")
ARCHITECTURES = Study(
    "Architectures and losses",
    {
        f"{title}, {'Huber' if loss == 'huber' else loss.upper()}": f"architectures/{name}-{loss}"
        for title, name in _NETWORKS.items()
        for loss in _LOSSES
    }
    | {"Pix2Pix": "architectures/pix2pix"},
    _EVERYTHING | _COST,
)

_PLAYERS = {
    "U-Net alone": "pix2pix/unet",
    "Pix2Pix": "pix2pix/adversarial",
    "Pix2Pix, pretrained": "pix2pix/pretrained",
    "Pix2Pix, published net": "pix2pix/as-published",
}
_VARIANTS = {
    "Pix2Pix, unconditional": "pix2pix/unconditional",
    "Pix2Pix, cross-entropy": "pix2pix/crossentropy",
}
_PATCHES = {
    "U-Net, patches": "pix2pix/unet-patches",
    "Pix2Pix, patches": "pix2pix/adversarial-patches",
}
PIX2PIX = Study(
    "Pix2Pix at the size of its training images",
    _PLAYERS | _VARIANTS,
    _VIVIDNESS | {"bleeding": "bleeding"},
)
PATCHES = Study(
    "Patches and resizing, whole images colored at twice the size",
    _PLAYERS | _PATCHES,
    {title: f"large/{metric}" for title, metric in PIX2PIX.metrics.items()}
    | {title: _COST[title] for title in ("ms per image", "minutes")},
)
PHOTOS = Study(
    "A model for photographs: the effect of each choice at equal steps",
    {
        "reference": "photos/ablation",
        "encoder unfrozen": "photos/ablation-unfrozen",
        "random encoder": "photos/ablation-random-encoder",
        "200 bins": "photos/ablation-200-bins",
        "no class weights": "photos/ablation-unweighted",
        "no aging": "photos/ablation-without-aging",
        "no weight average": "photos/ablation-without-average",
        "crops of 64": "photos/ablation-64-pixels",
        "crops of 128": "photos/ablation-128-pixels",
        "crops of 64, 96 and 128": "photos/ablation-several-sizes",
        "30 to 70 % of the image": "photos/ablation-small-crops",
    },
    {
        "CIEDE2000": "ciede2000",
        "AuC, rebalanced": "ab_auc_rebalanced",
        "colorfulness": "colorfulness",
        "bleeding": "bleeding",
        "minutes": "minutes",
    },
)
STUDIES = (COLORFUL, *COHERENCE.values(), CONVNETS, ARCHITECTURES, PIX2PIX, PATCHES, PHOTOS)


def on(study, label):
    """Return the same study of the experiments on another dataset.

    Args:
        study: `Study`.
        label: Label after the "@" in the names of the records; "" for the original dataset.
    """
    suffix = f"@{label}" if label else ""
    return dataclasses.replace(
        study, rows={title: name + suffix for title, name in study.rows.items()}
    )


def labels(records, study):
    """Return the labels of the datasets that a study's experiments were run on, see `on`.

    Args:
        records: List of `Record`.
        study: `Study`.
    """
    names = {record.experiment.partition("@")[::2] for record in records}
    return sorted({label for name, label in names if name in study.rows.values()})


def render(records, study):
    """Format a study as a Markdown table with means over seeds, see `tables.compare`.

    Args:
        records: List of `Record`.
        study: `Study`.
    """
    return tables.compare(records, study.rows, study.metrics)
