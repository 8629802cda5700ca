"""Imported before kafka-python 2.0.2: it carries a copy of six whose import hook Python 3.12 no longer calls.

These are the names that it uses of it. Newer versions of kafka-python do not look here.
"""

import http.client
import sys
import types
import urllib.parse

if sys.version_info >= (3, 12):
    _moves = types.ModuleType("kafka.vendor.six.moves")
    _moves.range, _moves.http_client, _moves.urllib = range, http.client, urllib
    sys.modules.setdefault("kafka.vendor.six.moves", _moves)
