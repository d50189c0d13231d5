"""Registers our components with Rasa's recipe, under the names ``config.yml`` uses.

Kept apart from the components: Rasa's recipe imports TensorFlow (some ten seconds), which parsing
with a trained model does not need.
"""

from __future__ import annotations

from rasa.engine.recipes.default_recipe import DefaultV1Recipe

from nlu.classifier import LinearIntentClassifier
from nlu.encoders.component import LocalEncoderFeaturizer
from nlu.encoders.spacy_vectors import SpacyVectorFeaturizer
from nlu.facts.component import FactExtractor
from nlu.fallback import AcceptanceGate
from nlu.features import NgramFeaturizer
from nlu.normaliser import TextNormaliser
from nlu.tokeniser import UnionJiebaTokenizer

__all__ = [
    "AcceptanceGate",
    "FactExtractor",
    "LinearIntentClassifier",
    "LocalEncoderFeaturizer",
    "NgramFeaturizer",
    "SpacyVectorFeaturizer",
    "TextNormaliser",
    "UnionJiebaTokenizer",
]

_Type = DefaultV1Recipe.ComponentType

DefaultV1Recipe.register(_Type.MESSAGE_FEATURIZER, is_trainable=False)(TextNormaliser)
DefaultV1Recipe.register(_Type.MESSAGE_TOKENIZER, is_trainable=True)(UnionJiebaTokenizer)
DefaultV1Recipe.register(_Type.MESSAGE_FEATURIZER, is_trainable=True)(NgramFeaturizer)
DefaultV1Recipe.register(_Type.MESSAGE_FEATURIZER, is_trainable=True)(LocalEncoderFeaturizer)
DefaultV1Recipe.register(_Type.MESSAGE_FEATURIZER, is_trainable=True)(SpacyVectorFeaturizer)
# As a featuriser too, so that Rasa hands its held-out rankings to the gate when training.
DefaultV1Recipe.register([_Type.INTENT_CLASSIFIER, _Type.MESSAGE_FEATURIZER], is_trainable=True)(
    LinearIntentClassifier
)
DefaultV1Recipe.register(_Type.INTENT_CLASSIFIER, is_trainable=True)(AcceptanceGate)
DefaultV1Recipe.register(_Type.ENTITY_EXTRACTOR, is_trainable=True)(FactExtractor)
