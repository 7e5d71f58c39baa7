"""What `ci/bench` measures, against a sender in another process."""
