"""Settings: everything an operator may choose, read once from the environment.

Every variable is listed, with its default, in ``.env.example`` (a test keeps the two the same).
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeVar, get_args
from urllib.parse import urlsplit

from casework.database_url import normalise_database_url
from casework.errors import ConfigurationError
from casework.secret_files import read_or_create

Environment = Literal["development", "production"]
TelegramMode = Literal["polling", "webhook"]
TrainingPlace = Literal["here", "elsewhere"]
Choice = TypeVar("Choice", bound=str)

MIB = 1024 * 1024

VARIABLES = (
    "NIANGJIA_HOME",
    "NIANGJIA_VAR",
    "NIANGJIA_MODELS",
    "NIANGJIA_ENV",
    "NIANGJIA_DATA_KEY",
    "NIANGJIA_INTERNAL_TOKEN",
    "DATABASE_URL",
    "HOST",
    "PORT",
    "PUBLIC_URL",
    "RASA_PORT",
    "RASA_REPLICAS",
    "RASA_URLS",
    "MODEL_PULL_SECONDS",
    "ACTIONS_PORT",
    "RASA_TIMEOUT",
    "TRAINING",
    "MODEL_SERVER_URL",
    "TELEGRAM_TOKEN",
    "TELEGRAM_API_BASE",
    "TELEGRAM_MODE",
    "TELEGRAM_WEBHOOK_URL",
    "TELEGRAM_WEBHOOK_SECRET",
    "RATE_MESSAGES_PER_MINUTE",
    "RATE_CONVERSATIONS_PER_HOUR",
    "RATE_UPLOADS_PER_HOUR",
    "RATE_CALCULATIONS_PER_MINUTE",
    "ATTACHMENT_MAX_MIB",
    "ATTACHMENTS_PER_DAY",
    "ATTACHMENTS_PER_MESSAGE",
    "CORS_ORIGINS",
    "LOG_LEVEL",
)


@dataclass(frozen=True, slots=True)
class Settings:
    """What this installation was told; secrets are left out of its repr."""

    home: Path
    var_dir: Path
    models_dir: Path
    """Where the files of the model versions lie."""
    database_url: str = field(repr=False)
    internal_token: str = field(repr=False)
    environment: Environment = "development"
    data_key: str | None = field(default=None, repr=False)
    host: str = "127.0.0.1"
    port: int = 8000
    public_url: str | None = None
    """Where members reach us from outside; None: they are given no link to their case."""
    rasa_port: int = 5005
    rasa_replicas: int = 1
    """How many processes of Rasa run on this machine, at ``rasa_port`` and the ports after it."""
    rasa_urls: tuple[str, ...] = ()
    """Where Rasa's replicas are, when they run elsewhere."""
    model_pull_seconds: int = 2
    """How often each replica asks whether there is another model."""
    actions_port: int = 5055
    rasa_timeout_s: float = 8.0
    training: TrainingPlace = "here"
    """Whether the bot starts trainings on its own machine, or leaves them to ``niangjia trainer``."""
    model_server_url: str | None = None
    """Where a trainer on another machine brings its models: the bot's address; None: the folder of models."""
    telegram_token: str | None = field(default=None, repr=False)
    telegram_api_base: str = "https://api.telegram.org"
    telegram_mode: TelegramMode = "polling"
    telegram_webhook_url: str | None = None
    telegram_webhook_secret: str | None = field(default=None, repr=False)
    rate_messages_per_minute: int = 20
    """Messages one conversation may send in a minute."""
    rate_conversations_per_hour: int = 60
    """Conversations one address may start in an hour (many members share one address)."""
    rate_uploads_per_hour: int = 60
    """Files one address may upload in an hour."""
    rate_calculations_per_minute: int = 60
    """Calculations one address may have made in a minute."""
    attachment_max_bytes: int = 10 * MIB
    attachments_per_day: int = 20
    """Files one conversation may send in one Shanghai day."""
    attachments_per_message: int = 5
    cors_origins: tuple[str, ...] = ()
    """Other websites whose pages may use the API in a browser."""
    log_level: str = "INFO"

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Settings:
        """Read the settings; an empty variable counts as unset.

        Makes ``var/internal.token`` (0600) when NIANGJIA_INTERNAL_TOKEN is unset. Raises
        ConfigurationError naming the variable and what it must be, without repeating a secret.
        """
        read = _Reader(environ)
        home = Path(read.text("NIANGJIA_HOME") or Path(__file__).parents[1]).expanduser().resolve()
        if not home.is_dir():
            raise ConfigurationError(f"NIANGJIA_HOME must be a folder that exists: {home}")
        var_dir = (home / Path(read.text("NIANGJIA_VAR") or "var").expanduser()).resolve()
        default_url = f"sqlite+aiosqlite:///{var_dir / 'niangjia.db'}"
        settings = cls(
            home=home,
            var_dir=var_dir,
            models_dir=(home / Path(read.text("NIANGJIA_MODELS") or "models").expanduser()).resolve(),
            database_url=normalise_database_url(read.text("DATABASE_URL") or default_url, home),
            internal_token=read.internal_token(var_dir),
            environment=read.choice("NIANGJIA_ENV", *get_args(Environment)),
            data_key=read.text("NIANGJIA_DATA_KEY"),
            host=read.text("HOST") or "127.0.0.1",
            port=read.port("PORT", 8000),
            public_url=read.url("PUBLIC_URL"),
            rasa_port=read.port("RASA_PORT", 5005),
            rasa_replicas=read.count("RASA_REPLICAS", 1, most=16),
            rasa_urls=read.urls("RASA_URLS"),
            model_pull_seconds=read.count("MODEL_PULL_SECONDS", 2, most=3600),
            actions_port=read.port("ACTIONS_PORT", 5055),
            rasa_timeout_s=read.seconds("RASA_TIMEOUT", 8.0),
            training=read.choice("TRAINING", *get_args(TrainingPlace)),
            model_server_url=read.url("MODEL_SERVER_URL"),
            telegram_token=read.telegram_token(),
            telegram_api_base=read.url("TELEGRAM_API_BASE") or "https://api.telegram.org",
            telegram_mode=read.choice("TELEGRAM_MODE", *get_args(TelegramMode)),
            telegram_webhook_url=read.url("TELEGRAM_WEBHOOK_URL"),
            telegram_webhook_secret=read.webhook_secret(),
            rate_messages_per_minute=read.count("RATE_MESSAGES_PER_MINUTE", 20),
            rate_conversations_per_hour=read.count("RATE_CONVERSATIONS_PER_HOUR", 60),
            rate_uploads_per_hour=read.count("RATE_UPLOADS_PER_HOUR", 60),
            rate_calculations_per_minute=read.count("RATE_CALCULATIONS_PER_MINUTE", 60),
            attachment_max_bytes=read.count("ATTACHMENT_MAX_MIB", 10, most=1024) * MIB,
            attachments_per_day=read.count("ATTACHMENTS_PER_DAY", 20),
            attachments_per_message=read.count("ATTACHMENTS_PER_MESSAGE", 5),
            cors_origins=read.origins("CORS_ORIGINS"),
            log_level=read.log_level(),
        )
        settings.check()
        return settings

    @property
    def rasa_ports(self) -> tuple[int, ...]:
        """The ports of Rasa's replicas on this machine."""
        return tuple(range(self.rasa_port, self.rasa_port + self.rasa_replicas))

    @property
    def replica_urls(self) -> tuple[str, ...]:
        """Where each of Rasa's replicas is asked."""
        return self.rasa_urls or tuple(f"http://127.0.0.1:{port}" for port in self.rasa_ports)

    def check(self) -> None:
        """Refuse settings that contradict each other; raises ConfigurationError."""
        ports = [self.port, self.actions_port, *self.rasa_ports]
        if len(set(ports)) != len(ports):
            raise ConfigurationError(
                "PORT, ACTIONS_PORT and RASA_PORT (with those after it for RASA_REPLICAS) must be different"
            )
        if self.telegram_mode == "webhook":
            if not (self.telegram_webhook_url or "").startswith("https://"):
                raise ConfigurationError(
                    "TELEGRAM_WEBHOOK_URL must be an https address when TELEGRAM_MODE is webhook"
                )
            if self.telegram_webhook_secret is None:
                raise ConfigurationError("TELEGRAM_WEBHOOK_SECRET must be set when TELEGRAM_MODE is webhook")


class _Reader:
    """Reads one environment, with errors that name the variable and what it must be."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def text(self, name: str) -> str | None:
        """The value without surrounding spaces, or None when unset or empty."""
        return (self._environ.get(name) or "").strip() or None

    def choice(self, name: str, *choices: Choice) -> Choice:
        """One of the choices; the first is the default."""
        value = self.text(name) or choices[0]
        for choice in choices:
            if value == choice:
                return choice
        raise ConfigurationError(f"{name} must be {' or '.join(choices)}, not {value!r}")

    def count(self, name: str, default: int, most: int = 1_000_000) -> int:
        """A whole number from 1."""
        value = self.text(name)
        if value is None:
            return default
        if not re.fullmatch(r"[0-9]{1,9}", value) or not 1 <= int(value) <= most:
            raise ConfigurationError(f"{name} must be a whole number from 1 to {most}, not {value!r}")
        return int(value)

    def port(self, name: str, default: int) -> int:
        """A TCP port."""
        return self.count(name, default, most=65535)

    def seconds(self, name: str, default: float) -> float:
        """A time in seconds, up to two minutes."""
        value = self.text(name)
        if value is None:
            return default
        if not re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,3})?", value) or not 0 < float(value) <= 120:
            raise ConfigurationError(f"{name} must be seconds, more than 0 and at most 120, not {value!r}")
        return float(value)

    def url(self, name: str) -> str | None:
        """An http or https address without a trailing slash."""
        value = self.text(name)
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise ConfigurationError(f"{name} must be an http or https address, not {value!r}")
        return value.rstrip("/")

    def urls(self, name: str) -> tuple[str, ...]:
        """Addresses as ``url`` takes them, separated by commas."""
        found = []
        for part in (self.text(name) or "").split(","):
            if part.strip():
                found.append(_Reader({name: part}).url(name) or "")
        return tuple(found)

    def origins(self, name: str) -> tuple[str, ...]:
        """Web origins (scheme, host and port, nothing after them), separated by commas."""
        found = tuple(part.strip() for part in (self.text(name) or "").split(",") if part.strip())
        for origin in found:
            if not re.fullmatch(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?", origin):
                raise ConfigurationError(
                    f"{name} must be origins like https://a.example with commas between, not {origin!r}"
                )
        return found

    def log_level(self) -> str:
        """One of logging's level names."""
        value = (self.text("LOG_LEVEL") or "INFO").upper()
        levels = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
        if value not in levels:
            raise ConfigurationError(f"LOG_LEVEL must be one of {', '.join(levels)}, not {value!r}")
        return value

    def telegram_token(self) -> str | None:
        """The bot's token as BotFather gives it."""
        value = self.text("TELEGRAM_TOKEN")
        if value is not None and not re.fullmatch(r"[0-9]+:[A-Za-z0-9_-]+", value):
            raise ConfigurationError("TELEGRAM_TOKEN must look like 123456789:AbC…, as BotFather gives it")
        return value

    def webhook_secret(self) -> str | None:
        """The secret Telegram repeats in a header: 1 to 256 of A-Z a-z 0-9 _ -."""
        value = self.text("TELEGRAM_WEBHOOK_SECRET")
        if value is not None and not re.fullmatch(r"[A-Za-z0-9_-]{1,256}", value):
            raise ConfigurationError("TELEGRAM_WEBHOOK_SECRET must be 1 to 256 characters of A-Z a-z 0-9 _ -")
        return value

    def internal_token(self, var_dir: Path) -> str:
        """The secret our own processes show each other."""
        value = self.text("NIANGJIA_INTERNAL_TOKEN")
        if value is None:
            value, _ = read_or_create(var_dir / "internal.token", lambda: secrets.token_urlsafe(32))
        if not re.fullmatch(r"[\x21-\x7e]{16,200}", value):
            raise ConfigurationError(
                "NIANGJIA_INTERNAL_TOKEN (or var/internal.token) must be 16 to 200 visible ASCII characters"
            )
        return value
