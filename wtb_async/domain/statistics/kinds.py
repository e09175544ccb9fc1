"""Which statistics fit a set of scores."""

import numpy as np

from wtb_async.domain.statistics.binary import BinaryScores
from wtb_async.domain.statistics.numeric import NumericScores
from wtb_async.domain.statistics.scores import Samples, ScoreStatistics


def statistics_for(scores: Samples) -> ScoreStatistics:
    """Tell yes-or-no scores from all others by their values, one per test case.

    Means of repetitions that disagree lie between 0 and 1 and are numeric.
    """
    binary = scores.size > 0 and bool(np.all((scores == 0) | (scores == 1)))
    return BinaryScores() if binary else NumericScores()
