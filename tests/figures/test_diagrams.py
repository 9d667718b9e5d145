from colorkit import models
from colorkit.figures import plots
from tests.figures.test_plots import drawn


def test_network_diagram_shows_every_layer_with_weights():
    model = models.build_conv_classification(81)
    figure = plots.network_diagram(model)
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert [text.split("\n")[0] for text in texts] == ["32"] * 2 + ["64"] * 8 + ["81"]
    assert sum("dilated 2" in text for text in texts) == 6
    assert len(figure.axes[0].lines) == 4, "a black edge for each batch normalization"
    drawn(figure)
    dense = plots.network_diagram(models.build_dense_regression())
    assert dense.axes[0].texts[-1].get_text() == "2048\ndense"
    heights = [patch.get_height() for patch in dense.axes[0].patches]
    assert heights[:4] == sorted(heights[:4], reverse=True), "valid convolutions shrink"


def test_network_diagram_marks_frozen_features():
    features = models.build_vgg_features(models.build_vgg_classifier(widths=(64, 4), hidden=4))
    model = models.build_conv_regression(blocks=((4,),), features=features)
    texts = [text.get_text() for text in plots.network_diagram(model).axes[0].texts]
    assert ["frozen" in text for text in texts] == [True, True, False, False]


def test_network_diagram_draws_branches_below_each_other():
    model = models.build_coherent_as_published(models.build_zhang(width=0.25))
    axes = plots.network_diagram(model).axes[0]
    texts = [text.get_text() for text in axes.texts]
    assert sum("up 2" in text for text in texts) == 1 and len(texts) == 27
    rows = {round(patch.get_y() + patch.get_height() / 2, 3) for patch in axes.patches}
    assert len(rows) == 2
    joints = [line for line in axes.lines if line.get_zorder() == 0]
    assert len(joints) == 1, "both branches meet once"
    drawn(axes.figure)


def test_network_diagram_of_free_size_shows_relative_sizes():
    axes = plots.network_diagram(models.build_unet(widths=(4, 8, 16))).axes[0]
    heights = [round(patch.get_height(), 2) for patch in axes.patches]
    # Full, half and quarter size and back, each drawn on 0.15.
    assert heights == [1.0] * 2 + [0.57] * 2 + [0.36] * 2 + [0.57] * 2 + [1.0] * 3
