"""What `meet doctor` looks at, on the machine of the server, whether it runs or not; nothing is changed.

Each check yields findings (`report`): `settings`, `data` (directory and database), `store`, `machine` (disk, clock,
codecs, fonts), `certificate`, `webhooks`, `network` (ports, and what answers on them). `examine` runs all of them.
"""

from meet.doctor.examine import examine
from meet.doctor.report import Finding

__all__ = ["Finding", "examine"]
