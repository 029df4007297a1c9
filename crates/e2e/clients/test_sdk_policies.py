"""Azure's SDKs for Python: policies of servers, which `az` can list, show and delete but not make."""

import datetime

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.mgmt.recoveryservicesbackup import models

AT = datetime.datetime(2026, 1, 4, 2, 30, tzinfo=datetime.timezone.utc)


def lasting(count: int, kind: str):
    return models.RetentionDuration(count=count, duration_type=kind)


def policy(days: int = 14, times=(AT,), **retention):
    """A policy of every day; more retention as it is given."""
    daily = models.DailyRetentionSchedule(retention_times=list(times), retention_duration=lasting(days, "Days"))
    return models.ProtectionPolicyResource(
        properties=models.MabProtectionPolicy(
            schedule_policy=models.SimpleSchedulePolicy(schedule_run_frequency="Daily", schedule_run_times=list(times)),
            retention_policy=models.LongTermRetentionPolicy(daily_schedule=daily, **retention),
        )
    )


def whole() -> dict:
    """Everything that the wizard's pages of retention have."""
    return {
        "weekly_schedule": models.WeeklyRetentionSchedule(
            days_of_the_week=["Sunday"], retention_times=[AT], retention_duration=lasting(8, "Weeks")
        ),
        "monthly_schedule": models.MonthlyRetentionSchedule(
            retention_schedule_format_type="Weekly",
            retention_schedule_weekly=models.WeeklyRetentionFormat(days_of_the_week=["Sunday"], weeks_of_the_month=["Last"]),
            retention_times=[AT],
            retention_duration=lasting(12, "Months"),
        ),
        "yearly_schedule": models.YearlyRetentionSchedule(
            months_of_year=["January"],
            retention_schedule_format_type="Daily",
            retention_schedule_daily=models.DailyRetentionFormat(days_of_the_month=[models.Day(date=1, is_last=False)]),
            retention_times=[AT],
            retention_duration=lasting(5, "Years"),
        ),
    }


def put(sdk, vault, name, wanted):
    return sdk.backup.protection_policies.create_or_update(vault, "default", name, wanted)


def test_a_policy_from_make_to_delete(sdk, az, wire, made_vault):
    made = put(sdk, made_vault, "whole", policy(30, **whole()))
    assert isinstance(made.properties, models.MabProtectionPolicy)
    got = sdk.backup.protection_policies.get(made_vault, "default", "whole").properties
    assert got.schedule_policy.schedule_run_times[0].time() == AT.time()
    kept = got.retention_policy
    assert kept.daily_schedule.retention_duration.count == 30
    assert kept.weekly_schedule.days_of_the_week == ["Sunday"]
    assert kept.monthly_schedule.retention_schedule_weekly.weeks_of_the_month == ["Last"]
    assert kept.yearly_schedule.retention_schedule_daily.days_of_the_month[0].date == 1
    put(sdk, made_vault, "whole", policy(60))
    listed = list(sdk.backup.backup_policies.list(made_vault, "default", filter="backupManagementType eq 'MAB'"))
    assert [one.name for one in listed if one.name == "whole"] == ["whole"]

    of = f"--resource-group default --vault-name {made_vault}"
    assert "whole" in [one["name"] for one in az(f"backup policy list {of}")]
    shown = az(f"backup policy show {of} --name whole")
    assert shown["properties"]["retentionPolicy"]["dailySchedule"]["retentionDuration"]["count"] == 60
    az(f"backup policy delete {of} --name whole")
    with pytest.raises(ResourceNotFoundError):
        sdk.backup.protection_policies.get(made_vault, "default", "whole")


def test_every_limit_is_named_in_the_envelope(sdk, made_vault):
    weekly = lambda count: {"weekly_schedule": models.WeeklyRetentionSchedule(
        days_of_the_week=["Sunday"], retention_times=[AT], retention_duration=lasting(count, "Weeks"))}
    monthly = lambda count: {"monthly_schedule": models.MonthlyRetentionSchedule(
        retention_schedule_format_type="Daily",
        retention_schedule_daily=models.DailyRetentionFormat(days_of_the_month=[models.Day(date=1)]),
        retention_times=[AT], retention_duration=lasting(count, "Months"))}
    yearly = lambda count: {"yearly_schedule": models.YearlyRetentionSchedule(
        months_of_year=["May"], retention_schedule_format_type="Daily",
        retention_schedule_daily=models.DailyRetentionFormat(days_of_the_month=[models.Day(date=1)]),
        retention_times=[AT], retention_duration=lasting(count, "Years"))}
    many = [AT.replace(hour=hour, minute=minute) for hour in range(24) for minute in (0, 30)]
    elsewhen = policy()
    elsewhen.properties.retention_policy.daily_schedule.retention_times = [AT.replace(hour=5)]
    seldom = policy()
    seldom.properties.schedule_policy = models.SimpleSchedulePolicy(
        schedule_run_frequency="Weekly", schedule_run_days=["Sunday"], schedule_run_times=[AT], schedule_weekly_frequency=53
    )
    for wanted, named in [
        (policy(6), "7 to 9999"), (policy(10_000), "7 to 9999"),
        (policy(**weekly(3)), "4 to 5163"), (policy(**weekly(5_164)), "4 to 5163"),
        (policy(**monthly(2)), "3 to 1188"), (policy(**monthly(1_189)), "3 to 1188"),
        (policy(**yearly(0)), "1 to 99"), (policy(**yearly(100)), "1 to 99"),
        (policy(times=many[:25]), "at most 24"), (policy(9_999, times=many[:24]), "at most 9999"),
        (policy(times=()), "no time of day"), (elsewhen, "05:30"), (seldom, "1 to 52"),
    ]:
        with pytest.raises(HttpResponseError, match=named) as refused:
            put(sdk, made_vault, "limit", wanted)
        assert refused.value.status_code == 400 and refused.value.error.code == "InvalidRequest"
    with pytest.raises(ResourceNotFoundError):
        sdk.backup.protection_policies.get(made_vault, "default", "limit")


def test_an_item_has_a_policy(sdk, az, new_server):
    server = new_server("policies")
    put(sdk, server.vault, "nightly", policy(14))
    policy_id = sdk.backup.protection_policies.get(server.vault, "default", "nightly").id
    sdk.backup.protected_items.begin_create_or_update(
        server.vault, "default", "Azure", server.container, server.item,
        models.ProtectedItemResource(properties=models.MabFileFolderProtectedItem(policy_id=policy_id)),
    ).result()
    item = sdk.backup.protected_items.get(server.vault, "default", "Azure", server.container, server.item).properties
    assert item.policy_name == "nightly" and item.policy_id == policy_id
    # The last good one stays in any case.
    server.agent.back_up()
    points = sdk.backup.recovery_points.list(server.vault, "default", "Azure", server.container, server.item)
    point = min(points, key=lambda one: one.properties.recovery_point_time)
    kept = point.properties.recovery_point_properties
    days = datetime.datetime.fromisoformat(kept.expiry_time.replace("Z", "+00:00")) - point.properties.recovery_point_time
    assert kept.rule_name == "Daily" and 13 <= days.days <= 15
    of = f"--resource-group default --vault-name {server.vault} --name nightly"
    assert [one["name"] for one in az(f"backup policy list-associated-items {of}")] == [server.item]
    az.refuses(f"backup policy delete {of}", says="PolicyInUse")
    with pytest.raises(HttpResponseError) as refused:
        sdk.backup.protection_policies.begin_delete(server.vault, "default", "nightly")
    assert refused.value.error.code == "PolicyInUse"
