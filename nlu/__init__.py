"""What runs inside Rasa: normaliser, tokeniser, features, classifier, gate, facts, tracker store, channel."""
