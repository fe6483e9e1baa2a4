"""What of a customer is kept in the vault, and nowhere else."""

from typing import Final

from amana.trust import DoorColumn, ReadPurpose, VaultColumn

LEGAL_NAME: Final = DoorColumn("customer.legal_name")
TELEPHONE: Final = DoorColumn("customer.telephone")
EMAIL: Final = DoorColumn("customer.email")

VAULT_COLUMNS: Final = (
    VaultColumn(LEGAL_NAME, "Name", ReadPurpose.CUSTOMER_DUE_DILIGENCE),
    VaultColumn(TELEPHONE, "TelephoneNumber", ReadPurpose.COMMUNICATION_FOR_CUSTOMER_CARE),
    VaultColumn(EMAIL, "EmailAddress", ReadPurpose.COMMUNICATION_FOR_CUSTOMER_CARE),
)
