"""The public names of the room, and what asking for it costs."""

import subprocess
import sys

import workbench.lab


def test_every_public_name_is_there():
    for name in workbench.lab.__all__:
        assert getattr(workbench.lab, name) is not None
    assert set(workbench.lab.__all__) <= set(dir(workbench.lab))


def test_the_face_imports_nothing_of_jupyter():
    code = "import sys, workbench.lab; print(*(m for m in sys.modules if m.split('.')[0] in HEAVY))"
    heavy = (
        "HEAVY = {'nbformat', 'nbval', 'jupyter_client', 'ipykernel', 'IPython', 'pytest', 'numpy', 'rich'}\n"
    )
    done = subprocess.run([sys.executable, "-c", heavy + code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
