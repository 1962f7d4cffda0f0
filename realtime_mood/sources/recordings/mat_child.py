"""Child process of `opening`: reads a MATLAB file and prints its contents.

SciPy's and HDF5's readers can crash on a damaged file; here that ends this process only.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

ODD_TEXT = "latin-1"  # for text that is not in the encoding it claims: every byte is a letter of this one


def main(path: str, most_bytes: int) -> int:
    """Print the variables of the file, the fields of each, and the encoding of its text; return the exit code."""
    from pymatreader import read_mat

    try:
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (most_bytes, most_bytes))
    except (ImportError, ValueError, OSError):  # not on this system, or a lower limit is in force
        pass
    codec = None
    try:
        try:
            content = read_mat(path)
        except (TypeError, ValueError, UnicodeError):
            content, codec = read_mat(path, uint16_codec=ODD_TEXT), ODD_TEXT
    except MemoryError:
        print("it asks for more memory than such a file needs", file=sys.stderr)
        return 1
    except Exception as error:
        print(" ".join(str(error).split()) or type(error).__name__, file=sys.stderr)
        return 1
    fields = {name: sorted(value) if isinstance(value, dict) else [] for name, value in content.items()}
    print(json.dumps({"codec": codec, "fields": {k: v for k, v in fields.items() if not k.startswith("__")}}))
    return 0


if __name__ == "__main__":
    sys.exit(main(str(Path(sys.argv[1])), int(sys.argv[2])))
