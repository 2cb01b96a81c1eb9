"""gunicorn reads this file in its working directory."""

import os

# nginx is in the same pod, and nobody else is to come by without it.
bind = "127.0.0.1:8000"

# One process, as only one can rotate a log file; more of them are more pods.
workers = 1
threads = int(os.environ.get("THREADS", "8"))

# The worker shows by this file that it is alive. On a disk that is busy it would seem dead.
worker_tmp_dir = "/dev/shm"

# After SIGTERM requests that are under way may take so long.
graceful_timeout = int(os.environ.get("GRACEFUL_TIMEOUT", "20"))

# It is steered by signals.
control_socket_disable = True
