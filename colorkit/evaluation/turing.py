"""Measure how often a person takes a colored image for the ground truth."""

import base64
import functools
import io
import json
import time

import numpy as np
from PIL import Image
from scipy.stats import binomtest

from colorkit.checks import check_weight, check_whole
from colorkit.data.image_files import as_rgb, checksum
from colorkit.files import expanded, make_folder, written_whole

__all__ = ["TuringTest"]

_SIDES = ("left", "right")


class TuringTest:
    """Show pairs of a true and a colored image for a moment, and record a person's answers.

    The seed determines the sides and the order. Answers are saved to a file after each trial, and
    an interrupted test resumes with the next pair. The first trials are practice and do not count.

    Args:
        truth: List or array of true images, each as `as_rgb` takes it.
        colored: Colored images of the same number, order and sizes.
        path: JSON file for the answers; `None` keeps them in memory.
        num_practice: Number of practice trials at the beginning, fewer than the images.
        seed: Seed of order and sides, the same to resume a test.

    Raises:
        ValueError: If the images do not match, `num_practice` or `seed` is not a whole number, or
            the file does not hold the answers of this test.

    References:
        Zhang, Isola, Efros, "Colorful Image Colorization", section 3.1: a second per pair, 10
        pairs of practice, then 40. A fooling rate of 50 % is as good as the ground truth.

    Example:
        >>> images = np.random.default_rng(0).integers(0, 256, (12, 16, 16, 3), "uint8")
        >>> test = TuringTest(images, images // 2)
        >>> left, right = test.pair()
        >>> correct = test.answer("left")  # `test.show()` shows the pairs in a notebook
    """

    def __init__(self, truth, colored, path=None, *, num_practice=10, seed=0):
        check_whole("num_practice", num_practice, least=0)
        check_whole("seed", seed, least=0)
        for images in (truth, colored):  # rows of a single image would count as images
            shape = images.shape if isinstance(images, np.ndarray) else (0, 0, 0, 0)
            if len(shape) < 3 or shape[2:] in ((1,), (3,), (4,)):
                raise ValueError(f"Images must be a list, or an array of several. Received {shape}")
        if len(truth) != len(colored) or len(truth) <= num_practice:
            raise ValueError(
                f"There must be as many colored images as true images, and more than the "
                f"{num_practice} of practice. Received {len(colored)} and {len(truth)}"
            )
        truth, colored = ([as_rgb(image) for image in images] for images in (truth, colored))
        for i, (a, b) in enumerate(zip(truth, colored, strict=True)):
            if a.shape != b.shape:
                raise ValueError(
                    f"Images of a pair must have the same size. Received {a.shape} and "
                    f"{b.shape} at {i}"
                )
        rng = np.random.default_rng(seed)
        self._pairs = truth, colored
        self._order = rng.permutation(len(truth))
        self._colored_sides = rng.integers(0, 2, len(truth))
        self.num_practice = int(num_practice)
        self.path = None if path is None else expanded(path)
        self._test = {
            "seed": int(seed),
            "pictures": len(truth),
            "practice": self.num_practice,
            "checksum": checksum((*truth, *colored)),
        }
        self.answers = self._read_answers()

    def __len__(self):
        return len(self._order)

    @property
    def is_over(self):
        """Whether all pairs were answered."""
        return len(self.answers) == len(self)

    @property
    def is_practice(self):
        """Whether the next answer does not count."""
        return len(self.answers) < self.num_practice

    def pair(self):
        """Return the next pair, left and right, or raise a `ValueError` after the last one."""
        if self.is_over:
            raise ValueError(f"All {len(self)} pairs were answered; take another file for more.")
        trial = len(self.answers)
        truth, colored = (images[self._order[trial]] for images in self._pairs)
        return (colored, truth) if self._colored_sides[trial] == 0 else (truth, colored)

    def answer(self, side, seconds=None):
        """Answer which side of the next pair looks colored by a machine.

        Args:
            side: "left" or "right".
            seconds: Time of the answer, or `None`. `show` measures from sending a pair to receiving
                its answer, including the time in the network.

        Returns:
            Whether the answer is right.
        """
        if side not in _SIDES:
            raise ValueError(f"`side` must be one of {_SIDES}. Received: {side!r}")
        if seconds is not None:
            check_weight("seconds", seconds)
            seconds = float(seconds)
        self.pair()  # raises an error after the last pair
        trial = len(self.answers)
        is_right = _SIDES[self._colored_sides[trial]] == side
        answer = {
            "picture": int(self._order[trial]),
            "side": side,
            "right": is_right,
            "seconds": seconds,
            "practice": trial < self.num_practice,
        }
        answers = [*self.answers, answer]
        if self.path is not None:
            make_folder(self.path.parent)
            with written_whole(self.path) as temporary:
                temporary.write_text(json.dumps({**self._test, "answers": answers}, indent=1))
        self.answers = answers  # not before they are saved
        return is_right

    def fooling_rate(self, confidence=0.95):
        """Compute the share of counted trials in which the true image was chosen as colored.

        Returns:
            `(rate, low, high)`, the interval by Wilson; `(nan, 0, 1)` without counted answers. The
            interval assumes independent trials, which is nearly true for one person.
        """
        counted = [answer for answer in self.answers if not answer["practice"]]
        if not counted:
            return float("nan"), 0.0, 1.0
        test = binomtest(sum(not answer["right"] for answer in counted), len(counted))
        interval = test.proportion_ci(confidence, method="wilson")
        return test.statistic, interval.low, interval.high

    def show(self, seconds=1.0, size=256):
        """Return an `ipywidgets` box that shows each pair for some seconds, then two buttons.

        `size` is the height of the images in pixels.
        """
        check_weight("seconds", seconds)  # a browser ignores what it does not understand
        import ipywidgets  # optional

        images, message = ipywidgets.HTML(), ipywidgets.HTML(self._progress())
        following = ipywidgets.Button(description="next pair")
        buttons = {side: ipywidgets.Button(description=side) for side in _SIDES}
        shown = {}

        def enable(start):
            following.disabled = not start or self.is_over
            for button in buttons.values():
                button.disabled = start

        def next_pair(_):
            if shown or self.is_over:
                return  # ignore a second click
            images.value = _hidden_after(self.pair(), seconds, size)
            shown["at"] = time.monotonic()
            enable(start=False)

        def answered(side, _):
            if not shown:
                return
            was_practice = self.is_practice
            is_right = self.answer(side, round(time.monotonic() - shown["at"], 2))
            shown.clear()
            verdict = ("Right. " if is_right else "Wrong. ") if was_practice else ""
            images.value, message.value = "", self._progress(verdict)
            enable(start=True)

        following.on_click(next_pair)
        for side, button in buttons.items():
            button.on_click(functools.partial(answered, side))
        enable(start=True)
        controls = ipywidgets.HBox([*buttons.values(), following])
        return ipywidgets.VBox([message, images, controls])

    def _progress(self, verdict=""):
        if self.is_over:
            rate, low, high = self.fooling_rate()
            return f"Fooled in {rate:.0%} of the trials (95 % interval {low:.0%} to {high:.0%})."
        kind = "practice" if self.is_practice else "test"
        return (
            f"{verdict}Pair {len(self.answers) + 1} of {len(self)} ({kind}): which one was "
            "colored by a machine?"
        )

    def _read_answers(self):
        if self.path is None or not self.path.exists():
            return []
        try:
            kept = json.loads(self.path.read_text())
            answers = kept.pop("answers")
            if not isinstance(answers, list) or len(answers) > kept["pictures"]:
                raise ValueError("they are not a list, or more than there are pairs")
            if not all({a["right"], a["practice"]} <= {True, False} for a in answers):
                raise ValueError("one is neither right nor wrong")
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(
                f"{self.path} does not hold the answers of a test ({error}); take another file."
            ) from error
        if kept != self._test:
            raise ValueError(
                f"{self.path} holds the answers of another test, {kept}, this one is "
                f"{self._test}. Take another file."
            )
        return answers


def _hidden_after(pair, seconds, size):
    """Return HTML of two images side by side that hides them after some time."""
    tags = []
    for image in pair:
        buffer = io.BytesIO()
        Image.fromarray(image).save(buffer, "PNG")
        data = base64.b64encode(buffer.getvalue()).decode()
        tags.append(f'<img height="{size}" src="data:image/png;base64,{data}">')
    name = f"turing{time.monotonic_ns()}"  # an animation runs only once per name
    return (
        f"<style>@keyframes {name} {{to {{visibility: hidden}}}}</style>"
        f'<div style="height: {size}px; animation: {name} 0s linear {seconds}s forwards">'
        f"{'&emsp;'.join(tags)}</div>"
    )
