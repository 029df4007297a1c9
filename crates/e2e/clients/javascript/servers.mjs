import assert from "node:assert/strict";
import { test } from "node:test";
import { all, backup } from "./clients.mjs";

const { SERVED: vault, CONTAINER: container, ITEM: item, LABEL: label } = process.env;
const group = "default";
const filter = "backupManagementType eq 'MAB'";

test("servers and items are there", async () => {
  const [server] = await all(backup.backupProtectionContainers.list(vault, group, { filter }));
  assert.equal(server.name, container);
  assert.equal(server.properties.containerType, "Windows");
  assert.equal(server.properties.friendlyName, label);
  const [listed] = await all(backup.backupProtectedItems.list(vault, group, { filter }));
  assert.equal(listed.name, item);
  assert.equal(listed.properties.protectedItemType, "MabFileFolderProtectedItem");
  const got = await backup.protectedItems.get(vault, group, "Azure", container, item);
  assert.equal(got.properties.protectionState, "Protected");
});

test("recovery points have a time and a rule", async () => {
  const points = await all(backup.recoveryPoints.list(vault, group, "Azure", container, item));
  assert.equal(points.length, 2);
  for (const point of points) {
    assert.ok(point.properties.recoveryPointTime instanceof Date);
    assert.ok(point.properties.recoveryPointProperties.ruleName);
    const got = await backup.recoveryPoints.get(vault, group, "Azure", container, item, point.name);
    assert.equal(got.id, point.id);
  }
});

test("jobs are found and shown", async () => {
  const jobs = await all(backup.backupJobs.list(vault, group, { filter: `operation eq 'Backup' and ${filter}` }));
  assert.equal(jobs.length, 2);
  const { properties } = await backup.jobDetails.get(vault, group, jobs[0].name);
  assert.equal(properties.jobType, "MabJob");
  assert.ok(properties.extendedInfo.tasksList.length > 0);
});

test("a policy is made, listed, deleted", async () => {
  const time = new Date("2026-01-01T02:30:00Z");
  const made = await backup.protectionPolicies.createOrUpdate(vault, group, "from-javascript", {
    properties: {
      backupManagementType: "MAB",
      schedulePolicy: {
        schedulePolicyType: "SimpleSchedulePolicy",
        scheduleRunFrequency: "Daily",
        scheduleRunTimes: [time],
      },
      retentionPolicy: {
        retentionPolicyType: "LongTermRetentionPolicy",
        dailySchedule: { retentionTimes: [time], retentionDuration: { count: 21, durationType: "Days" } },
      },
    },
  });
  assert.equal(made.properties.retentionPolicy.dailySchedule.retentionDuration.count, 21);
  const names = (await all(backup.backupPolicies.list(vault, group))).map((policy) => policy.name);
  assert.ok(names.includes("from-javascript"));
  await backup.protectionPolicies.beginDeleteAndWait(vault, group, "from-javascript");
  await assert.rejects(
    backup.protectionPolicies.get(vault, group, "from-javascript"),
    (error) => error.code === "ResourceNotFound",
  );
});
