"""The languages that a template can have."""

from __future__ import annotations

# Alibaba Cloud, Chat App Message Service, page "Language codes" (September 2026): its table has these 68, compared
# exactly. Where 70 are spoken of, two rows too many were counted.
_CODES = """
    af sq ar az bn bg ca hr cs da nl en en_GB en_US et fil fi fr de el gu ha he hi hu id ga it ja kn kk ko lo lv lt
    mk ms ml mr nb fa pl pt_BR pt_PT pa ro ru sr zh_CN sk sl es es_AR es_MX es_ES sw sv ta te th zh_HK zh_TW tr uk
    ur uz vi zu
"""

LANGUAGES = frozenset(_CODES.split())
