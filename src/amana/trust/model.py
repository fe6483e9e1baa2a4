"""What the vault holds, who may ask for it and why, and what the door answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NewType

from amana.kernel import AmanaId, Instant

VAULT_VERSION: Final = 1
"""First byte of each sealed field: AES-256-GCM by Tink, with the associated data of version 1."""

VAULT_VALUE_BYTES_MAX: Final = 1_024
"""Bytes of UTF-8 of one field."""

DoorColumn = NewType("DoorColumn", str)
"""Name of a column of the vault, like `customer.legal_name`."""


class ReadPurpose(StrEnum):
    """Why somebody asks, in the terms of DPV 2.3. Closed: there is no other reason.

    The purposes below the line are named so that they can be refused by name, in the log too.
    """

    PAYMENT_PROCESSING = "PaymentProcessing"
    PAYMENT_MANAGEMENT = "PaymentManagement"
    ACCOUNT_MANAGEMENT = "AccountManagement"
    CUSTOMER_DUE_DILIGENCE = "CustomerDueDiligence"
    ANTI_MONEY_LAUNDERING_COMPLIANCE = "AntiMoneyLaunderingCompliance"
    TRANSACTION_FRAUD_MANAGEMENT = "TransactionFraudManagement"
    TAX_REPORTING_COMPLIANCE = "TaxReportingCompliance"
    COMMUNICATION_FOR_CUSTOMER_CARE = "CommunicationForCustomerCare"
    RIGHTS_FULFILMENT = "RightsFulfilment"
    LEGAL_COMPLIANCE = "LegalCompliance"
    PROVIDE_OFFICIAL_STATISTICS = "ProvideOfficialStatistics"
    # Forbidden, whoever asks:
    ADVERTISING = "Advertising"
    CREDIT_CHECKING = "CreditChecking"
    CREDIT_HISTORY_EVALUATION = "CreditHistoryEvaluation"
    CREDIT_LIMIT_DETERMINATION = "CreditLimitDetermination"
    CREDIT_SCORE_EVALUATION = "CreditScoreEvaluation"
    DIRECT_MARKETING = "DirectMarketing"
    INSTABILITY_RISK_ASSESSMENT = "InstabilityRiskAssessment"
    MAINTAIN_CREDIT_CHECKING_DATABASE = "MaintainCreditCheckingDatabase"
    MAINTAIN_CREDIT_RATING_DATABASE = "MaintainCreditRatingDatabase"
    MARKETING = "Marketing"
    PERSONALISED_ADVERTISING = "PersonalisedAdvertising"
    POLITICAL_CAMPAIGN = "PoliticalCampaign"
    PRODUCT_RECOMMENDATION = "ProductRecommendation"
    PROVIDE_PRODUCT_RECOMMENDATIONS = "ProvideProductRecommendations"
    PUBLIC_RELATIONS = "PublicRelations"
    RECRUITMENT_ADVERTISING = "RecruitmentAdvertising"
    RECRUITMENT_TARGETED_ADVERTISING = "RecruitmentTargetedAdvertising"
    SELL_DATA_TO_THIRD_PARTIES = "SellDataToThirdParties"
    SELL_INSIGHTS_FROM_DATA = "SellInsightsFromData"
    SOCIAL_MEDIA_MARKETING = "SocialMediaMarketing"
    TARGETED_ADVERTISING = "TargetedAdvertising"


ALLOWED_PURPOSES: Final = frozenset(
    {
        ReadPurpose.PAYMENT_PROCESSING,
        ReadPurpose.PAYMENT_MANAGEMENT,
        ReadPurpose.ACCOUNT_MANAGEMENT,
        ReadPurpose.CUSTOMER_DUE_DILIGENCE,
        ReadPurpose.ANTI_MONEY_LAUNDERING_COMPLIANCE,
        ReadPurpose.TRANSACTION_FRAUD_MANAGEMENT,
        ReadPurpose.TAX_REPORTING_COMPLIANCE,
        ReadPurpose.COMMUNICATION_FOR_CUSTOMER_CARE,
        ReadPurpose.RIGHTS_FULFILMENT,
        ReadPurpose.LEGAL_COMPLIANCE,
        ReadPurpose.PROVIDE_OFFICIAL_STATISTICS,
    }
)
FORBIDDEN_PURPOSES: Final = frozenset(ReadPurpose) - ALLOWED_PURPOSES
"""Advertising, marketing, selling, political and credit-scoring purposes."""


@dataclass(frozen=True, slots=True)
class VaultColumn:
    """A column of the vault: what it holds and what it was collected for.

    `purpose` is sealed into each field: a column put to another purpose must be sealed anew.
    """

    name: DoorColumn
    category: str
    purpose: ReadPurpose


@dataclass(frozen=True, slots=True)
class Owner:
    """The person themselves, signed in."""

    person: AmanaId


@dataclass(frozen=True, slots=True)
class Machine:
    """A part of the system that shows what it reads to no human."""

    component: str


@dataclass(frozen=True, slots=True)
class StaffMember:
    """A member of the operator's staff, by name."""

    staff: AmanaId
    name: str
    role: str


Reader = Owner | Machine | StaffMember
"""Who asks. Owners and machines are counted; any other human is recorded."""


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """What a policy decides on."""

    person: AmanaId
    columns: tuple[VaultColumn, ...]
    purpose: ReadPurpose
    reader: Reader


class DoorRefusal(StrEnum):
    """Why the door stays shut; checked in this order."""

    COLUMN_UNKNOWN = "column-unknown"
    PURPOSE_FORBIDDEN = "purpose-forbidden"
    NOT_THE_OWNER = "not-the-owner"
    NOT_ALLOWED = "not-allowed"
    PERSON_ERASED = "person-erased"


@dataclass(frozen=True, slots=True)
class Permitted:
    """A policy allows the read. `policy` names the policy, for the record."""

    policy: str


@dataclass(frozen=True, slots=True)
class DoorRefused:
    """The door stays shut, and nothing was opened."""

    reason: DoorRefusal
    policy: str = ""


@dataclass(frozen=True, slots=True)
class Opened:
    """Fields in the clear. A column that nobody filled is absent."""

    fields: Mapping[DoorColumn, str]


@dataclass(frozen=True, slots=True)
class DoorRecord:
    """One reading by a human other than the owner, or the attempt at one."""

    number: int
    person: AmanaId
    reader: StaffMember
    purpose: ReadPurpose
    columns: tuple[DoorColumn, ...]
    outcome: str
    policy: str
    occurred_at: Instant


@dataclass(frozen=True, slots=True)
class DoorCount:
    """How often a person's fields were opened in a day by the person or by a machine."""

    person: AmanaId
    day: int
    purpose: ReadPurpose
    reader: str
    count: int


@dataclass(frozen=True, slots=True)
class Erased:
    """The person's keys are destroyed and their rows deleted.

    Copies of the keys in backups end with the wrapping key they lie under: with the second
    re-wrapping from now, two weeks at most when it is done weekly.
    """

    person: AmanaId


class BackupReason(StrEnum):
    """Why a backup was not made or not restored; nothing was written."""

    NOT_A_DATA_FOLDER = "not-a-data-folder"
    PLACE_INSIDE_FOLDER = "place-inside-folder"
    SIGNATORY_INCOMPLETE = "signatory-incomplete"
    FOLDER_NOT_EMPTY = "folder-not-empty"
    ARCHIVE_MISSING = "archive-missing"
    ARCHIVE_DAMAGED = "archive-damaged"
    ARCHIVES_DIFFER = "archives-differ"
    KEY_DESTROYED = "key-destroyed"


@dataclass(frozen=True, slots=True)
class BackupRefused:
    """A refusal to back up or restore, with a sentence for the person at the keyboard."""

    reason: BackupReason
    detail: str
