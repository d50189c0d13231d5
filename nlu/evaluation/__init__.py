"""Evaluation: how well members are understood, from labelled sentences and what was made of them.

No clock, no Rasa: the command line, the tests and the retraining gate all call these. A *row* is a labelled
sentence (``text``, ``topic``; optionally ``alt``, ``topics``, ``facts``, ``source``), a *reading* what was
made of it (``topic``, ``accepted``; optionally ``confidence``, ``topics``, ``facts``, ``outside``,
``rule``, ``model``).
"""

from nlu.evaluation.figures import evaluate_predictions
from nlu.evaluation.rows import BadRows, read_rows
from nlu.evaluation.text import format_report
from nlu.evaluation.whole import full_report

__all__ = ["BadRows", "evaluate_predictions", "format_report", "full_report", "read_rows"]
