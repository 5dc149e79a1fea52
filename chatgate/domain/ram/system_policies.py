"""The two policies that every account has: Alibaba's system policies for CAMS, under their names.

``AliyunCamsReadOnlyAccess`` lists ``Get*`` and ``List*`` only: operations whose name begins with ``Query`` are not in
it, as they are not in Alibaba's.
"""

from __future__ import annotations

TEXTS: dict[str, str] = {
    "AliyunCamsFullAccess": '{"Version":"1","Statement":[{"Effect":"Allow","Action":"cams:*","Resource":"*"}]}',
    "AliyunCamsReadOnlyAccess": (
        '{"Version":"1","Statement":[{"Effect":"Allow","Action":["cams:Get*","cams:List*"],"Resource":"*"}]}'
    ),
}
