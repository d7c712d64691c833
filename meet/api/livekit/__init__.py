"""Handler of what the media server reports (`openapi/livekit`)."""
