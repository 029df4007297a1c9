import assert from "node:assert/strict";
import { test } from "node:test";
import { all, backup, services } from "./clients.mjs";

const group = "default";
const name = "javascript-vaults";

test("a vault is made, found, changed", async () => {
  const made = await services.vaults.beginCreateOrUpdateAndWait(group, name, {
    location: "local",
    sku: { name: "Standard" },
    properties: { publicNetworkAccess: "Enabled" },
  });
  assert.equal(made.properties.provisioningState, "Succeeded");
  assert.ok((await all(services.vaults.listBySubscriptionId())).some((vault) => vault.name === name));
  assert.ok((await all(services.vaults.listByResourceGroup(group))).some((vault) => vault.id === made.id));
  const changed = await services.vaults.beginUpdateAndWait(group, name, { tags: { made: "by JavaScript" } });
  assert.deepEqual(changed.tags, { made: "by JavaScript" });
});

test("its storage and soft delete are set", async () => {
  const storage = backup.backupResourceStorageConfigsNonCRR;
  await storage.update(name, group, { properties: { storageType: "GeoRedundant" } });
  assert.equal((await storage.get(name, group)).properties.storageType, "GeoRedundant");
  const config = await backup.backupResourceVaultConfigs.update(name, group, {
    properties: { softDeleteRetentionPeriodInDays: 45 },
  });
  assert.equal(config.properties.softDeleteRetentionPeriodInDays, 45);
  await assert.rejects(
    backup.backupResourceVaultConfigs.update(name, group, { properties: { softDeleteFeatureState: "Disabled" } }),
    (error) => error.statusCode === 400 && error.code === "NotSupportedHere",
  );
});

test("it is deleted", async () => {
  await services.vaults.beginDeleteAndWait(group, name);
  await assert.rejects(services.vaults.get(group, name), (error) => error.code === "ResourceNotFound");
});
