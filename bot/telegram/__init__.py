"""The Telegram door: python-telegram-bot in the bot's own event loop."""
