"""What happened in a capture: frames to messages, requests to replies, authenticators to verdicts, and views of it."""
