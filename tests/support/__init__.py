"""What several test folders share: looking into media files, waiting for things."""
