"""Whether a folder lies on a network file system, where neither locks nor syncs can be relied on."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["network_file_system"]

_MOUNTS = Path("/proc/self/mountinfo")
_NETWORK = frozenset(
    "afs beegfs ceph cifs davfs fuse.ceph fuse.davfs2 fuse.glusterfs fuse.gvfsd-fuse fuse.rclone fuse.s3fs fuse.sshfs"
    " glusterfs gpfs lustre ncpfs nfs nfs4 smb3 smbfs".split()
)


def network_file_system(folder: Path, mounts: Path = _MOUNTS) -> str | None:
    """Return the type of the network file system on which a folder, or its nearest parent, lies; None: a local one.

    Only Linux tells; elsewhere the answer is always None.
    """
    # Path.exists() raises where nobody may look, or where a name is too long.
    while not os.path.exists(folder) and folder != folder.parent:  # noqa: PTH110
        folder = folder.parent
    try:
        device = os.stat(folder).st_dev  # noqa: PTH116
        lines = mounts.read_text(errors="replace").splitlines()
    except OSError:
        return None  # no such table, or no such folder: then opening it says so
    wanted = f"{os.major(device)}:{os.minor(device)}"
    for line in lines:
        # 36 35 98:0 /root /mount options optional… - type source options
        before, _, after = line.partition(" - ")
        place = before.split()
        if len(place) > 2 and place[2] == wanted:
            kind = after.split(" ", 1)[0]
            return kind if kind in _NETWORK else None
    return None
