import pytest

from colorkit import models
from colorkit.models.sizes import output_stride, size_rule


@pytest.mark.parametrize(
    ("build", "stride"),
    [
        (lambda: models.build_conv_regression(blocks=((4,),)), 1),
        (lambda: models.build_zhang(9, width=0.05), 4),
        (lambda: models.build_pretrained_unet(9, widths=(4,) * 4), 2),
    ],
)
def test_stride_is_that_of_the_output(build, stride):
    network = build()
    assert output_stride(network) == stride
    multiples, found = size_rule(network)
    assert found == stride and len(multiples) == 2 and all(m >= 1 for m in multiples)
