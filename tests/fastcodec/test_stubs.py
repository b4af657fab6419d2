"""The hand-written stubs of the compiled modules say what the modules hold."""
import subprocess
import sys

import pytest

MODULES = ["agent_discovery", "attributes", "authenticators", "extension_codec", "fields", "hiding", "key_table", "mip4",
           "mip4_parts", "packet", "radius", "radius_batch", "registration",
           "registration_batch", "rows", "secret", "status",
           "wire"]


@pytest.mark.timeout(300)
def test_stubs_match(tmp_path):
    allowed = tmp_path / "allowed"
    allowed.write_text(r"""
.*\.__(pyx_capi|test|reduce|reduce_cython|setstate_cython|setstate|pyx_vtable|pyx_unpickle).*__
.*\.__cinit__
.*\.__init__
.*\.__pyx_.*
.*\.(bool_t|np)
""")
    done = subprocess.run([sys.executable, "-m", "mypy.stubtest", "--ignore-missing-stub", "--allowlist", str(allowed),
                           "--ignore-unused-allowlist", *(f"fastcodec.{m}" for m in MODULES)],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
