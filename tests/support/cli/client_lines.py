"""Every command line of another program that is ours, as a literal with values, for the real clients to check."""

GUID = "11111111-1111-1111-1111-111111111111"
SCOPE = f"/subscriptions/{GUID}/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/account"
SERVER = f"/subscriptions/{GUID}/resourceGroups/g/providers/Microsoft.DBforPostgreSQL/flexibleServers/s"
SNAPSHOT = f"/subscriptions/{GUID}/resourceGroups/g/providers/Microsoft.Compute/snapshots/s"
GRAPH = "https://graph.microsoft.com/v1.0/servicePrincipals(appId='11111111-1111-1111-1111-111111111111')"
GRAPH_URL = "https://graph.microsoft.com/v1.0/servicePrincipals"
DIGEST = "sha256:" + "a" * 64

AZ = (
    f"az account get-access-token --scope api://{GUID}/access --query accessToken -o tsv",
    "az account get-access-token --query accessToken --output json",
    "az account get-access-token --resource-type ms-graph --output json",
    "az account list-locations --query [].name --output tsv",
    "az account show --query user.type --output json",
    "az account show --query id",
    "az account show --query user.name --output tsv",
    "az acr build --help",
    "az acr run --registry llmdevabcde --file /dev/null --platform linux/amd64 --timeout 7200 .",
    "az acr import --help",
    "az acr login --name llmdevabcde --expose-token --output json",
    f"az ad app credential reset --id {GUID}",
    f"az ad app federated-credential list --id {GUID} --query \"[?name=='llm-dev-chat'].id\" --output tsv",
    f"az ad app federated-credential delete --id {GUID} --federated-credential-id {GUID}",
    f"az ad app owner add --id {GUID} --owner-object-id {GUID}",
    f"az ad app show --id {GUID} --query id --output tsv",
    f'az ad group member add --group "llm-dev users" --member-id {GUID}',
    "az ad signed-in-user show --query id --output tsv",
    f"az ad sp show --id {GUID} --query id --output tsv",
    "az aks command invoke --help",
    (
        f"az aks command invoke --subscription {GUID} --resource-group g --name n --command 'kubectl get pods'"
        " --output json"
    ),
    "az vmss list-instances --resource-group g --name n --output table",
    "az vmss deallocate --resource-group g --name n --instance-ids 1",
    "az aks get-credentials --resource-group g --name c",
    "az aks install-cli --help",
    (
        f"az aks show --subscription {GUID} --resource-group g --name n"
        " --query '{power: powerState.code, doing: provisioningState}'"
    ),
    f"az aks stop --subscription {GUID} --resource-group g --name n --no-wait",
    f"az aks start --subscription {GUID} --resource-group g --name n --no-wait",
    "az aks install-cli --client-version 1.36.0 --help",
    "az account get-access-token --resource https://prometheus.monitor.azure.com",
    "az aks show --resource-group g --name c",
    "az aks show --resource-group g --name c --query id --output tsv",
    "az aks start --resource-group g --name c",
    "az resource update --ids /subscriptions/s",
    f"az disk list --subscription {GUID} --resource-group g",
    f"az disk show --subscription {GUID} --resource-group g --name n",
    (
        f"az disk create --subscription {GUID} --resource-group g --name n --location westeurope --source {SNAPSHOT}"
        " --sku Premium_ZRS --size-gb 32 --network-access-policy DenyAll --public-network-access Disabled --zone 1"
        f" --disk-encryption-set {SNAPSHOT}"
    ),
    f"az snapshot show --subscription {GUID} --resource-group g --name n",
    (
        f"az snapshot create --subscription {GUID} --resource-group g --name n --location westeurope"
        f" --source {SNAPSHOT} --incremental true --network-access-policy DenyAll --public-network-access Disabled"
    ),
    (
        "az storage file list --share-name s --path f --num-results * --account-name account --auth-mode login"
        " --enable-file-backup-request-intent"
    ),
    (
        "az storage file download --share-name s --path f/n --dest /tmp/n --no-progress --output none"
        " --account-name account --auth-mode login --enable-file-backup-request-intent"
    ),
    f"az group create --subscription {GUID} --name g --location westeurope --tags a=b",
    f"az group list --subscription {GUID} --output json",
    f"az group delete --subscription {GUID} --name g --yes",
    f"az identity create --subscription {GUID} --resource-group g --name n --location westeurope --tags a=b",
    f"az identity delete --subscription {GUID} --resource-group g --name n",
    f"az identity list --subscription {GUID}",
    (
        f"az identity federated-credential create --subscription {GUID} --resource-group g --identity-name n --name c"
        " --issuer https://token.actions.githubusercontent.com --subject repo:o@1/r@2:environment:prod-plan"
        " --audiences api://AzureADTokenExchange"
    ),
    (
        f"az identity federated-credential delete --subscription {GUID} --resource-group g --identity-name n --name c"
        " --yes"
    ),
    f"az identity federated-credential list --subscription {GUID} --resource-group g --identity-name n",
    "az ad group show --group g --query id --output tsv",
    "az keyvault list --resource-group g",
    f"az keyvault secret list --vault-name llm-dev-abcde --subscription {GUID}",
    f"az keyvault secret list-versions --vault-name llm-dev-abcde --subscription {GUID} --name n",
    "az keyvault secret list-versions --vault-name llm-dev-abcde --name database-chat-password",
    "az keyvault secret recover --name database-chat-password --vault-name llm-dev-abcde",
    "az keyvault secret set --vault-name llm-dev-abcde --name alert-webhook-url --file /dev/null",
    (
        f"az lock create --subscription {GUID} --resource-group g --name terraform-state --lock-type CanNotDelete"
        " --resource account --resource-type Microsoft.Storage/storageAccounts"
    ),
    (
        f"az lock create --name keep-backup-set --lock-type CanNotDelete --resource {SNAPSHOT} --notes note"
        f" --subscription {GUID}"
    ),
    f"az lock delete --ids {SNAPSHOT}/providers/Microsoft.Authorization/locks/keep-backup-set",
    f"az lock list --subscription {GUID} --resource-group g",
    f"az disk list --subscription {GUID} --resource-group g",
    f"az disk delete --ids {SNAPSHOT.replace('snapshots', 'disks')} --yes",
    (
        f"az disk create --subscription {GUID} --resource-group g --name n --location westeurope --source {SNAPSHOT}"
        " --sku Premium_LRS --size-gb 32 --zone 1 --disk-encryption-set e"
        " --network-access-policy DenyAll --public-network-access Disabled --tags a=b"
    ),
    f"az keyvault list-deleted --subscription {GUID} --resource-type vault",
    f"az keyvault recover --name llm-dev-abcde --subscription {GUID}",
    f"az keyvault secret list-deleted --vault-name llm-dev-abcde --subscription {GUID}",
    f"az keyvault secret recover --vault-name llm-dev-abcde --subscription {GUID} --name n",
    (
        f"az keyvault secret download --vault-name llm-dev-abcde --subscription {GUID} --name n --version v"
        " --file /dev/null"
    ),
    (
        f"az keyvault secret set --vault-name llm-dev-abcde --subscription {GUID} --name n --file /dev/null"
        " --encoding utf-8 --output none"
    ),
    f"az storage share-rm list --subscription {GUID} --resource-group g --storage-account account --include-deleted",
    (
        f"az storage share-rm restore --subscription {GUID} --resource-group g --storage-account account"
        " --name chat-uploads --deleted-version v"
    ),
    "az login --help",
    (
        f"az network private-endpoint create --subscription {GUID} --resource-group g --name n --connection-name n"
        f" --location westeurope --tags a=b --private-connection-resource-id {SCOPE} --group-id blob"
        f" --subnet /subscriptions/{GUID}/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/subnets/s"
    ),
    "az provider register --namespace Microsoft.KeyVault --wait",
    "az feature register --namespace Microsoft.Compute --name EncryptionAtHost",
    "az keyvault purge --name llm-dev-abcde --location westeurope",
    "az keyvault recover --name llm-dev-abcde --location westeurope",
    "az disk-encryption-set list --query [].id --output tsv",
    f'az role assignment create --assignee {GUID} --role "User Access Administrator" --scope {SCOPE}',
    f"az postgres flexible-server delete --ids {SERVER} --yes",
    "az postgres flexible-server show --name s --resource-group g",
    'az postgres flexible-server list --resource-group g --query "{servers: [].name}"',
    "az postgres flexible-server geo-restore --help",
    "az postgres flexible-server restore --help",
    (
        f'az rest --method GET --url "/subscriptions/{GUID}/resourceGroups/g/providers/Microsoft.DBforPostgreSQL'
        '/flexibleServers/s/backups?api-version=2024-08-01"'
    ),
    (
        f'az rest --method GET --url "{GRAPH}/oauth2PermissionGrants"'
        " --query \"value[?consentType=='AllPrincipals'].id | [0]\" --output tsv"
    ),
    f"az resource list --subscription {GUID} --resource-type Microsoft.ContainerRegistry/registries",
    f'az rest --method GET --url "{GRAPH}?$select=id,appRoles"',
    f"az rest --method POST --url {GRAPH_URL}/{GUID}/appRoleAssignments --body {{}}",
    f"az rest --method GET --resource {GUID} --url https://dev.azure.com/o/_apis/projects/p?api-version=7.1",
    (
        "az rest --method POST --resource https://api.loganalytics.io --url https://api.loganalytics.io/v1/w/query"
        " --body {}"
    ),
    f"az rest --method DELETE --resource {GUID} --url https://dev.azure.com/o/_apis/serviceendpoint/endpoints/{GUID}",
    f"az rest --method POST --resource {GUID} --url https://dev.azure.com/o/_apis/endpoints --body {{}}",
    f"az role assignment delete --ids {SCOPE}/providers/Microsoft.Authorization/roleAssignments/{GUID}",
    f"az role assignment list --all --subscription {GUID}",
    f"az role assignment list --scope {SCOPE}",
    """az role definition create --role-definition '{"Name": "n", "Actions": [], "AssignableScopes": ["/s"]}'""",
    f"az role definition delete --name n --custom-role-only true --scope /subscriptions/{GUID}",
    f"az role definition list --custom-role-only true --name n --scope /subscriptions/{GUID}",
    (
        f"az role definition list --custom-role-only false --scope /subscriptions/{GUID}"
        " --query \"[?roleType=='BuiltInRole'].{roleName: roleName, name: name}\""
    ),
    (
        f"az role assignment create --assignee-object-id {GUID} --assignee-principal-type ServicePrincipal"
        f" --role Reader --scope /subscriptions/{GUID} --condition-version 2.0"
        " --condition \"((!(ActionMatches{'a'})))\""
    ),
    """az role definition update --role-definition '{"Name": "n", "Actions": [], "AssignableScopes": ["/s"]}'""",
    (
        f"az role assignment create --assignee-object-id {GUID} --assignee-principal-type ServicePrincipal"
        f' --role "Storage Blob Data Contributor" --scope {SCOPE}'
    ),
    (
        f"az role assignment create --assignee-object-id {GUID} --assignee-principal-type Group"
        f' --role "Key Vault Secrets Officer" --scope {SCOPE}'
    ),
    f"az role assignment list --all --query \"[?name=='{GUID}'].id\" --output tsv",
    (
        f"az storage account blob-service-properties update --subscription {GUID} --resource-group g"
        " --account-name account"
        " --enable-versioning true --enable-delete-retention true --delete-retention-days 30"
        " --enable-container-delete-retention true --container-delete-retention-days 30"
    ),
    (
        f"az storage account create --subscription {GUID} --resource-group g --name account"
        " --location westeurope --tags a=b"
        " --kind StorageV2 --sku Standard_ZRS --min-tls-version TLS1_2 --https-only true"
        " --allow-blob-public-access false"
        " --allow-shared-key-access false --public-network-access Enabled --default-action Deny"
    ),
    (
        f"az storage account network-rule add --subscription {GUID} --resource-group g"
        " --account-name account"
        " --ip-address 203.0.113.0/24"
    ),
    f"az snapshot delete --ids {SNAPSHOT}",
    f"az snapshot list --subscription {GUID} --resource-group g",
    (
        f"az snapshot create --subscription {GUID} --resource-group g --name n --location westeurope"
        f" --source {SNAPSHOT} --incremental true --network-access-policy DenyAll --public-network-access Disabled"
        " --copy-start true --tags a=b"
    ),
    "az storage blob copy --help",
    "az storage blob lease break --auth-mode login --account-name acmestate --container-name tfstate --blob-name a/b",
    (
        f"az storage blob delete --subscription {GUID} --account-name account --container-name backup-sets"
        " --auth-mode login --name sets/n.json"
    ),
    (
        f"az storage blob download --subscription {GUID} --account-name account --container-name backup-sets"
        " --auth-mode login --name sets/n.json --file /dev/null --no-progress --output none"
    ),
    (
        f"az storage blob list --subscription {GUID} --account-name account --container-name backup-sets"
        " --auth-mode login --prefix sets/"
    ),
    (
        f"az storage blob upload --subscription {GUID} --account-name account --container-name backup-sets"
        " --auth-mode login --name sets/n.json --file /dev/null --overwrite true --content-type application/json"
        " --no-progress --output none"
    ),
    (
        f"az storage share-rm delete --subscription {GUID} --resource-group g --storage-account account"
        " --name chat-uploads --snapshot 2026-11-30T12:00:00.0000000Z --yes"
    ),
    f"az storage share-rm list --subscription {GUID} --resource-group g --storage-account account --include-snapshot",
    (
        f"az storage share-rm snapshot --subscription {GUID} --resource-group g --storage-account account"
        " --name chat-uploads"
    ),
    f"az storage container-rm create --subscription {GUID} --resource-group g --storage-account account --name tfstate",
    "az vm list-skus --location westeurope --size Standard_NC4as_T4_v3 --zone --output table",
    "az vm list-skus --location westeurope --resource-type virtualMachines --zone --output table",
)

KUBECTL = (
    "kubectl version --client",
    "kubectl annotate scaledobjects.keda.sh x -n serving autoscaling.keda.sh/paused-replicas=0 --overwrite",
    'kubectl patch deployment opik-backend -n opik --type=merge -p "{}"',
    "kubectl delete pod n -n n --ignore-not-found --wait=false",
    "kubectl delete chi opik-clickhouse -n opik",
    "kubectl delete job pull-phi3-5 --namespace serving --ignore-not-found",
    "kubectl delete jobs x -n serving --ignore-not-found",
    "kubectl exec -it -n chat deployment/open-webui -c open-webui -- bash",
    "kubectl exec -n chat deployment/open-webui -i -c open-webui -- python3 -c pass",
    "kubectl get jobs,pods --all-namespaces",
    "kubectl get pushsecrets --all-namespaces",
    "kubectl get challenges.acme.cert-manager.io --all-namespaces -o json",
    "kubectl get deployments -n serving -o json",
    "kubectl get events -n serving -o json",
    "kubectl get deployments,statefulsets --all-namespaces -o json",
    "kubectl get statefulset x -n opik -o json",
    "kubectl get persistentvolumes -o json",
    "kubectl get persistentvolume x -o json",
    "kubectl annotate externalsecrets.external-secrets.io --all --all-namespaces --overwrite force-sync=1",
    "kubectl describe externalsecrets --all-namespaces",
    "kubectl get externalsecrets.external-secrets.io --all-namespaces -o json",
    "kubectl get volumeattachments.storage.k8s.io -o json",
    "kubectl get nodes -o json",
    "kubectl get namespaces -o json",
    "kubectl get events --all-namespaces -o json",
    "kubectl get --raw /version",
    "kubectl annotate externalsecrets x -n chat force-sync=1 --overwrite",
    "kubectl cordon x",
    "kubectl delete pod x -n chat --ignore-not-found --wait=false",
    "kubectl describe certificate x -n chat",
    "kubectl describe pod x -n chat",
    "kubectl describe pvc x -n opik",
    "kubectl get --raw /api/v1/nodes/x/proxy/stats/summary",
    "kubectl get externalsecrets x -n chat -o jsonpath={.metadata.resourceVersion}",
    "kubectl logs x -n chat --all-containers --previous",
    "kubectl logs x -n chat --all-containers",
    "kubectl get pods --all-namespaces --field-selector=spec.nodeName=x -o json",
    "kubectl patch statefulset/x -n opik --type=merge -p {}",
    "kubectl patch persistentvolume x --type=merge -p {}",
    "kubectl taint nodes x node.kubernetes.io/out-of-service=nodeshutdown:NoExecute --overwrite",
    "kubectl taint nodes x node.kubernetes.io/out-of-service-",
    "kubectl wait pod -l app=x -n opik --for=delete --timeout=5s",
    "kubectl drain x --ignore-daemonsets --delete-emptydir-data",
    "kubectl get nodes",
    "kubectl get hpa -n chat -o json",
    "kubectl get pods -n chat -l app=x -o json",
    "kubectl get pods -n chat -l app=x --field-selector=status.phase=Running -o json",
    "kubectl get nodes",
    "kubectl get pods -A",
    "kubectl get secret s -n gateway -o json",
    "kubectl get configmaps -n spill-over -o json",
    "kubectl get secrets,configmaps -n opik -l owner=helm,name=opik -o json",
    "kubectl get secrets --all-namespaces -l owner=helm -o json",
    "kubectl get secrets,configmaps --all-namespaces -l owner=helm -o json",
    "kubectl create -f /dev/null",
    "kubectl delete secrets sh.helm.release.v1.opik.v1 -n opik --ignore-not-found",
    "kubectl logs --tail=10 --prefix -f -n serving -l app=x -c run --max-log-requests=50",
    "kubectl logs -n opik deployment/opik-backend -c backend-migrations",
    "kubectl port-forward --address 127.0.0.1 -n opik svc/opik-frontend :5173",
    "kubectl rollout restart deployment/open-webui -n chat",
    "kubectl rollout status deployment/open-webui -n chat --timeout=5s",
    "kubectl top nodes",
    "kubectl delete pod/x -n opik --ignore-not-found --wait=false",
    "kubectl get deployments -n opik --field-selector=metadata.name=x -o json",
    "kubectl get statefulsets -n opik --field-selector=metadata.name=x -o json",
    "kubectl run x -n opik --image=i --restart=Never --overrides={}",
    "kubectl run ask --namespace research --labels a=b --image i --rm -it --restart Never -- curl https://start.llm.internal/ping",
    "kubectl label namespace research platform/trusted-roots=true",
    "kubectl scale statefulset/x -n opik --replicas=0",
    "kubectl wait pod/x -n opik --for=jsonpath={.status.phase}=Succeeded --timeout=5s",
    "kubectl config view -o json",
)

HELM = (
    "helm install --help",
    "helm uninstall opik --namespace opik",
    "helm uninstall --namespace serving vllm",
    "helm template helm/scaling -f helm/scaling/values.yaml",
)

COSIGN = (
    (
        f"cosign sign --yes --key /nowhere.key --signing-config /nowhere.json --trusted-root /nowhere.json"
        f" --allow-insecure-registry 127.0.0.1:1/a@{DIGEST}"
    ),
    (
        "cosign verify --key /nowhere.key --insecure-ignore-tlog=true --trusted-root /nowhere.json"
        f" --allow-insecure-registry 127.0.0.1:1/a@{DIGEST}"
    ),
    (
        "cosign attest --yes --key /nowhere.key --type slsaprovenance1 --predicate /nowhere.json"
        " --signing-config /nowhere.json --trusted-root /nowhere.json"
        f" --allow-insecure-registry 127.0.0.1:1/a@{DIGEST}"
    ),
    (
        "cosign verify-attestation --key /nowhere.key --type slsaprovenance1 --insecure-ignore-tlog=true"
        f" --trusted-root /nowhere.json --allow-insecure-registry 127.0.0.1:1/a@{DIGEST}"
    ),
    "cosign version --json",
)

DOCKER = ('docker version --format "{{.Server.Version}}"', "docker login --help")

NOT_JUDGED = {
    "az dataprotection": "comes as an extension from a place of its own, not from PyPI",
    "az quota": "comes as an extension from a place of its own, not from PyPI",
    "az login --tenant": "opens a browser before it looks at anything; the command itself is judged",
    "az login --scope": "opens a browser before it looks at anything; the command itself is judged",
    "docker buildx": "a plugin that Debian 12 lacks; tests/images/test_images_real.py builds with it where it is",
}
"""Beginnings of lines that no test runs, and why."""

LINES = (*AZ, *KUBECTL, *HELM, *COSIGN, *DOCKER)
