"""From a question to an answer that rests on sources. No web, no database session, no settings."""
