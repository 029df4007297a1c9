// The SDKs' clients, signed in with what `stateward-vault init --json` printed.

import { ClientSecretCredential } from "@azure/identity";
import { RecoveryServicesClient } from "@azure/arm-recoveryservices";
import { RecoveryServicesBackupClient } from "@azure/arm-recoveryservicesbackup";

const { URL: endpoint, SUBSCRIPTION: subscription, CLIENT_ID, CLIENT_SECRET } = process.env;

const credential = new ClientSecretCredential("adfs", CLIENT_ID, CLIENT_SECRET, { authorityHost: endpoint });
const options = { endpoint, credentialScopes: [`${endpoint}/.default`] };

export const services = new RecoveryServicesClient(credential, subscription, options);
export const backup = new RecoveryServicesBackupClient(credential, subscription, options);

/** All of a list that comes in pages. */
export async function all(pages) {
  const found = [];
  for await (const one of pages) found.push(one);
  return found;
}
