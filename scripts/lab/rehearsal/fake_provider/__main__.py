"""Entry of a fake provider process: ``__main__.py <executable of the mirror>``."""

import os
import sys

sys.path[:0] = os.environ["REHEARSAL_PATH"].split(os.pathsep)

from scripts.lab.rehearsal.fake_provider.server import serve  # noqa: E402 - the path is set above

serve(os.path.basename(sys.argv[1]).split("_")[0].removeprefix("terraform-provider-"))  # noqa: PTH119 - no pathlib at start
