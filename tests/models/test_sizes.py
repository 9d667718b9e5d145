import keras
import pytest

from colorkit import models
from colorkit.models.sizes import output_stride, size_rule

HALVINGS = (keras.layers.AveragePooling2D(2) for _ in range(2))
ENCODER = keras.Sequential([keras.Input((None, None, 3)), *HALVINGS])


@pytest.mark.parametrize(
    ("build", "stride"),
    [
        (lambda: models.build_conv_regression(blocks=((4,),)), 1),
        (lambda: models.build_zhang(9, width=0.05), 4),
        (lambda: models.build_pretrained_unet(9, encoder=ENCODER, widths=(4,)), 2),
    ],
)
def test_stride_is_that_of_the_output(build, stride):
    network = build()
    assert output_stride(network) == stride
    multiples, found = size_rule(network)
    assert found == stride and len(multiples) == 2 and all(m >= 1 for m in multiples)
