"""``python -m nlu.server run …``: Rasa's own command line with telemetry off and logs kept quiet.

Rasa logs members' texts at DEBUG; LOG_LEVEL below INFO is therefore raised to INFO here.
"""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run Rasa's command line in this process."""
    os.environ["RASA_TELEMETRY_ENABLED"] = "false"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    os.environ.setdefault("SQLALCHEMY_SILENCE_UBER_WARNING", "1")
    if os.environ.get("LOG_LEVEL", "INFO") == "DEBUG":
        os.environ["LOG_LEVEL"] = "INFO"
    sys.argv[0] = "rasa"
    from rasa.__main__ import main as rasa_main  # noqa: PLC0415  (only after the environment is set)

    from nlu import answers_of_actions, model_pulling  # noqa: PLC0415  (as above)

    answers_of_actions.install()
    model_pulling.install()
    rasa_main()


if __name__ == "__main__":
    main()
