"""``python -m bot``: the same as ``niangjia``."""

from bot.cli import main

main()
