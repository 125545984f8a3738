"""What `reviewqueue demo` shows: real model outputs in three queues, four persons, and an app that keeps enqueueing."""
