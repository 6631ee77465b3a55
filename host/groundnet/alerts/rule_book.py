"""The owners' rules, in the registry beside what else leads to a person: sealed where it has a vault."""

import json
from collections.abc import Iterable, Mapping

from groundnet.alerts.rules import Rule, RuleError
from groundnet.errors import Text
from groundnet.provision.audit import Audit
from groundnet.provision.record import Record
from groundnet.provision.registry import Registry

LABEL = "alert"


def add(
    registry: Registry,
    records: Iterable[Record],
    kind: str,
    parameters: Mapping[str, float | str],
    contact: str,
    language: str,
    now_ms: int,
) -> list[Rule]:
    """One rule for each device of an owner; parameters and contact were checked. Raises VaultLocked."""
    rules = []
    with registry.transaction():
        for record in records:
            said = json.dumps({"contact": contact, "parameters": dict(parameters)}).encode()
            vault = registry.vault
            row = registry.database.execute(
                "INSERT INTO alert_rules (device_id, kind, language, sealed, said, made_ms) "
                "VALUES (?, ?, ?, ?, ?, ?) RETURNING rule_id",
                (
                    record.device_id,
                    kind,
                    language,
                    int(vault is not None),
                    vault.seal(LABEL, said, record.tag_id) if vault else said,
                    now_ms,
                ),
            ).fetchone()
            Audit(registry).append(now_ms, "alert add", tag_id=record.tag_id)
            rules.append(
                Rule(row["rule_id"], record.device_id, record.tag_id, kind, parameters, contact, language)
            )
    return rules


def remove(registry: Registry, rule: Rule, now_ms: int) -> None:
    """End a rule."""
    with registry.transaction():
        registry.database.execute("DELETE FROM alert_rules WHERE rule_id = ?", (rule.rule_id,))
        Audit(registry).append(now_ms, "alert remove", tag_id=rule.tag_id)


def rules(registry: Registry) -> list[Rule]:
    """All rules, oldest first. Raises VaultLocked."""
    rows = registry.database.execute(
        "SELECT a.*, d.tag_id FROM alert_rules a JOIN devices d ON d.device_id = a.device_id ORDER BY a.rule_id"
    ).fetchall()
    return [_rule(registry, row) for row in rows]


def rule(registry: Registry, rule_id: int) -> Rule:
    """One rule. Raises RuleError when there is none of that number."""
    for found in rules(registry):
        if found.rule_id == rule_id:
            return found
    raise RuleError(
        Text(f"there is no alert {rule_id}", f"没有编号为 {rule_id} 的提醒"),
        Text("list alerts with `groundnet alert list`", "请用 `groundnet alert list` 查看"),
    )


def _rule(registry: Registry, row) -> Rule:
    said = json.loads(registry.opened(LABEL, row["said"], row))
    return Rule(
        row["rule_id"],
        row["device_id"],
        row["tag_id"],
        row["kind"],
        said["parameters"],
        said["contact"],
        row["language"],
    )
