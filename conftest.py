"""Where PyTorch is not installed, the modules that need it are not imported in search of examples."""

from importlib.util import find_spec

collect_ignore_glob = [] if find_spec("torch") else ["src/landform/backends/torch/*"]
