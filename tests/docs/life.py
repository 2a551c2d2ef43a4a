"""The sessions in which the examples of the commands' help are typed.

`LIFE` is what people do on a ledger, from a Monday in February 2027 on: payments, calendars, lines,
an auction with bids under seal and on paper, its settlement, what a bond pays, what is read of all
that, and last the home of the node that did it.
"""

from collections.abc import Sequence
from datetime import datetime
from importlib.util import find_spec
from typing import Final

from node.cli.exits import Exit
from tests.docs.examples import Given, Step, Turned, Typed, Until, Watched

BEGAN: Final = datetime.fromisoformat("2027-02-08T09:00+05:00")
DRAWN: Final = (
    (r"\.(pdf|png)", 0) if find_spec("matplotlib") else (r"matplotlib is not installed", Exit.USAGE)
)
"""Drawings are an extra; without it a command says so."""

_OFFICES: Final = """
BANK=tkhz1686d8jmqe9fkz88v6258yfjdwrlscgea4rjgyl
MINISTRY=tkhz132yu9kqdk7z4hpjtukzezx4746l28mnwnl8el4
ALICE=tkhz1lnx50cy9y8zk70xee0uzjzdswdmdynskr3ye8j
BOB=tkhz1m4jfmjaumapf949l52x4zamq3pykxjmvlxmm3u
both="--account $MINISTRY --approver $BANK
  --development finance-ministry/account --development central-bank/account"
terms="--document terms.pdf --multiple 5000 --ceiling 1000000000"
"""
_PROPOSAL: Final = {"PROPOSAL": r"query proposal ([0-9a-f]{64})"}

_PAPER: Final = r"((?:[0-9a-f]{8}\s+){8})"


def _given(lines: str) -> Given:
    return Given(_OFFICES + lines)


_APPROVED: Final = _given(
    'khazana tx approve "$PROPOSAL" --account "$BANK" --development central-bank/account'
)

MONEY: Final[Sequence[Step]] = (
    Typed("tx transfer ", r"applied in block", keeps={"ID": r"transaction +([0-9a-f]{64})"}),
    Typed("tx issue ", r"applied in block"),
    Typed("query transaction ", r"100\.50"),
    Typed("query account ", r"participant-0"),
    Typed("query asset PKR", r"central-bank"),
    Typed("query assets$", r"PKR"),
    Typed("query assets --csv", r"^PKR,"),
    Typed("query block ", r"height +2\b"),  # a slow machine has the transfer in a later one
    Typed("query evidence", r"no "),
    Typed("query holdings tkhz1lnx50cy9y8zk70xee0uzjzdswdmdynskr3ye8j$", r"PKR +1,004,899\.50"),
    Typed("query holdings tkhz1lnx50cy9y8zk70xee0uzjzdswdmdynskr3ye8j --csv", r"^PKR,1004899\.50"),
    Typed("query holds tkhz1lnx50cy9y8zk70xee0uzjzdswdmdynskr3ye8j$", r"no hold"),
    Typed("query holds tkhz1lnx50cy9y8zk70xee0uzjzdswdmdynskr3ye8j --csv", r"^hold|amount"),
    Typed("query parameters", r"accounts-max-provisional"),
    Typed("query participant ", r"central-bank"),
    Typed("participant identify participant-0 \\", r"applied in block"),
    Typed("participant identify participant-0 --withdraw ", r"proposed in block"),
    Typed("query powers", r"set_parameter"),
    Typed("query validators", r"central-bank"),
    Typed("query prove ", r"holding\.proof\.json"),
    _given("cp central-bank/genesis.json genesis.json"),
    Typed("verify ", r"holds 1,004,899\.50"),
    Typed("validator list ", r"central-bank"),
    Typed("shell --run ", r"^\d+$"),
)

DAYS: Final[Sequence[Step]] = (
    Typed("calendar list", r"pakistan"),
    Typed("calendar show pakistan --year 2027", r"2027-03-10"),
    Typed("calendar show --csv", r"^2027-03-10,"),
    Typed("calendar check 2027-03-10", r"2027-03-1\d"),
    Typed("calendar check pakistan 2026-12-25", r"2026-12-25"),
    Typed("calendar define karachi ", r"applied in block"),
    Typed("calendar define dubai ", r"applied in block"),
    Typed("calendar amend --confirm ", r"applied in block"),
    Typed("calendar amend --withdraw ", r"applied in block"),
)

LINES: Final[Sequence[Step]] = (
    _given("echo 'What is promised.' | tee terms.pdf > strips.pdf"),
    Typed("security define MTB-3M-0511 ", r"proposed in block", keeps=_PROPOSAL),
    Typed("query proposal ", r"define_asset"),
    Typed("query proposals", r"define_asset"),
    Typed("tx approve ", r"applied in block"),
    Typed("security define PIB-5Y ", r"applied in block"),
    Typed("security define PFL-3Y ", r'"type": "define_asset"'),
    Typed("security define PIB-10Y ", r"proposed in block", keeps=_PROPOSAL),
    Typed("validator approve ", r"decided in block"),
    _given(
        """
define() { khazana security define "$@" $terms $both; }
define MTB-3M-0525 --kind bill --name 'Treasury bill, 84 days' --isin PK0MTB03M278 \
  --issue 2027-02-25 --tenor 84d
define MTB-1M-0312 --kind bill --name 'Treasury bill, brought back' --isin PK0MTB01M264 \
  --issue 2027-02-11 --tenor 29d --brought-back
define GIS-5Y --kind sukuk --name 'Ijara sukuk' --isin PK0GIS05Y269 --rate 0 \
  --issue 2027-02-11 --tenor 5y --pool motorway=terms.pdf
define PIB-3Y --kind bond --name 'Investment bond' --isin PK0PIB03Y261 --rate 10 \
  --issue 2027-02-09 --tenor 3y
define PFL-5Y --kind bond --name 'Floating bond' --isin PK0PFL05Y261 --reference pkrv-6m \
  --issue 2027-02-09 --tenor 5y
define PIB-1Y --kind bond --name 'Bond that pays monthly' --isin PK0PIB01Y265 --rate 12 \
  --months 1 --issue 2027-02-09 --tenor 1y
khazana security define PFL-3Y --kind bond --name 'Floating bond' --reference mtb-3m \
  --isin PK0PFL03Y266 --months 3 --issue 2027-02-11 --tenor 3y $terms --account "$MINISTRY" \
  --dry-run > bond.json
issue() {
  echo "{\\"type\\": \\"issue\\", \\"account\\": \\"$MINISTRY\\", \\"approvers\\": [\\"$BANK\\"],
    \\"asset\\": \\"$1\\", \\"amount\\": \\"$2\\", \\"to\\": \\"$ALICE\\"}" > issue.json
  khazana tx send issue.json --development finance-ministry/account \
    --development central-bank/account
}
issue PIB-5Y 500000
issue PIB-1Y 20000000
issue PIB-10Y 500000
issue MTB-1M-0312 50000
"""
    ),
    Typed("schedule PIB-5Y", r"2027-08-11"),
    Typed("schedule --terms ", r"2027-05-11"),
    Typed("query asset PIB-5Y --csv", r"^supply,500000\.00"),
    Typed("contract PIB-5Y --face ", r"PAM|ACTUS"),
    Typed("contract PIB-5Y --json", r'"contractType"'),
    Typed("contract PIB-5Y --csv", r"2027-08-11"),
    Typed("debt$", r"Debt service: what is to be paid"),
    Typed("debt ladder", r"2027"),
    Typed("debt service ", r"^2027,"),
    Typed("security define-strips ", r"applied in block"),
    Typed("security strip ", r"applied in block"),
    Typed("security strips ", r"of PIB-5Y, 100,000\.00 is stripped"),
    Typed("security reconstitute ", r"applied in block"),
    Typed("security call ", r"applied in block"),
    Given(
        "khazana keys development central-bank/account finance-ministry/account",
        keeps={
            "BANK_KEY": r"central-bank/account +([0-9a-f]{64})",
            "MINISTRY_KEY": r"finance-ministry/account +([0-9a-f]{64})",
        },
    ),
    Typed("tx build ", r"issue\.tx\.json"),
    Typed("tx show ", r"issue"),
    Typed("tx sign ", r"issue\.ministry\.tx\.json"),
    _given(
        "khazana tx sign issue.tx.json --development central-bank/account --out issue.bank.tx.json"
    ),
    Typed("tx combine ", r"issue\.tx\.json"),
    Typed("tx submit ", r"applied in block"),
    _given(
        """
echo 'a passphrase of her own' > alice.passphrase
khazana keys development account-0 --json | python3 -c 'import json, sys
print(json.load(sys.stdin)["keys"][0]["private_key"])' > seed.hex
"""
    ),
    Typed("keys import ", r"alice\.json"),
    _given(
        """
echo "{\\"type\\": \\"transfer\\", \\"account\\": \\"$ALICE\\", \\"to\\": \\"$BOB\\",
  \\"asset\\": \\"PKR\\", \\"amount\\": \\"10.00\\"}" > payment.json
"""
    ),
    Typed("tx send ", r"applied in block"),
    Typed("withholding set person bond ", r"applied in block"),
    _given("printf 'from_day,rate,source\\n2027-07-01,25,Finance Act 2027\\n' > rates.csv"),
    Typed("withholding set company sukuk ", r"proposed in block"),
    Typed("withholding show$", r"Finance Act 2027"),
    Typed("withholding show --taxpayer ", r"^person,bond,2027-07-01,20"),
    Typed("withholding taxpayer participant-0 ", r"applied in block"),
)

AUCTION: Final[Sequence[Step]] = (
    _given(
        """
cat > plan.csv <<END
day,settlement_day,kind,tenor_months,target
2027-02-24,2027-02-25,bill,3,80000
END
"""
    ),
    Typed("auction plan 2027-q1 plan.csv ", r"applied in block"),
    Typed("auction announce mtb-3m-574 ", r"proposed in block", keeps=_PROPOSAL),
    _APPROVED,
    Typed("auction announce mtb-3m-575 ", r"applied in block"),
    Typed("auction announce gis-5y-1 ", r"proposed in block"),
    Typed("auction announce switch-1 ", r'"type": "announce_auction"'),
    Typed("auction list", r"mtb-3m-574"),
    Typed("auction calendar$", r"mtb-3m-574"),
    Typed("auction calendar --plan --csv", r"^2027-02-24,"),
    Typed("auction calendar --plan --genesis ", r"2027-02-24"),
    Typed("auction plan 2027-q1 --withdraw ", r"applied in block"),
    Typed("auction mandate ", r"applied in block"),
    Typed(
        "auction envelope ",
        r"98\.3815",
        keeps={"HASH": rf"hash +{_PAPER}", "SALT": rf"salt +{_PAPER}"},
    ),
    Until(datetime.fromisoformat("2027-02-10T10:00+05:00")),
    Typed("security fix ", r"applied in block"),
    Typed("auction bid ", r"applied in block"),
    _given(
        "khazana auction bid mtb-3m-574 --price 98.3000 --face 15000 --account $ALICE"
        " --development account-0"
    ),
    Typed("auction withdraw ", r"applied in block"),
    Typed("auction bids ", r"1 "),
    Typed("auction lodge ", r"applied in block"),
    Typed("auction envelopes ", r"participant-1"),
    Until(datetime.fromisoformat("2027-02-10T11:00+05:00")),
    Typed("auction reveal ", r"applied in block"),
    Typed("auction enter ", r"entered by your office"),
    _given(
        'khazana auction enter mtb-3m-574 --number 3 --price 98.3815 --face 25000 --salt "$SALT"'
        " --account $MINISTRY --development finance-ministry/account"
    ),
    Until(datetime.fromisoformat("2027-02-10T12:30+05:00")),
    Typed("auction decide mtb-3m-574 ", r"applied in block"),
    Typed("auction result ", r"98\.3815"),
    Typed("auction references", r"mtb-3m"),
    Typed("auction show mtb-3m-574$", r"mtb-3m-574"),
    Typed("auction show mtb-3m-574 --csv", r"result\.average_yield"),
    Typed("auction verify ", r"each record is proven"),
    Until(datetime.fromisoformat("2027-02-12T10:00+05:00")),
    Typed("report wall ", *DRAWN),
    Typed("report curve ", *DRAWN),
    Typed("report auction ", *DRAWN),
    Until(datetime.fromisoformat("2027-02-24T10:00+05:00")),
    _given(
        "khazana auction bid mtb-3m-575 --price 90.0000 --face 15000 --account $ALICE"
        " --development account-0"
    ),
    Until(datetime.fromisoformat("2027-02-24T11:00+05:00")),
    _given(
        "khazana auction reveal mtb-3m-575 --account $ALICE --cash-account $ALICE"
        " --development account-0"
    ),
    Until(datetime.fromisoformat("2027-02-24T12:30+05:00")),
    Typed("auction decide mtb-3m-575 ", r"applied in block"),
    Until(datetime.fromisoformat("2027-03-15T10:00+05:00")),
    _given(
        """
khazana tx transfer --account "$ALICE" --to "$MINISTRY" --asset MTB-1M-0312 --amount 50000 \
  --development account-0
khazana tx issue --account "$BANK" --to "$MINISTRY" --asset PKR --amount 1000000 \
  --development central-bank/account
"""
    ),
    Typed("security redeem ", r"applied in block"),
    Typed("security fund ", r"applied in block"),
)

HOME: Final[Sequence[Step]] = (
    Typed("config check ", r"central-bank"),
    Typed("config show ", r"central-bank"),
    Typed("doctor ", r"consensus|quorum"),
    Typed("backup ", r"chain\.backup"),
    Typed("access list ", r"no API keys"),
    Given("echo central-bank", keeps={"KHAZANA_HOME": r"(central-bank)"}),
    Typed("access create ", r"exchange-one"),
    Typed("access revoke ", r"revoked exchange-one"),
    Typed("amendment show ", r"no amendment|none"),
    Typed("amendment discard ", r"no amendment", exits=Exit.REFUSED),
    Typed("stream status ", r"stream", exits=Exit.REFUSED),
    Turned(up=False),
    Watched("start ", "node started", key=b"\x03"),
    _given("printf '\\n[index]\\ndatabase = \"sqlite\"\\n' >> central-bank/node.toml"),
    Typed("check ", r"^whole, at height \d+"),
    Typed("index rebuild ", r"made anew from block 1"),
    Typed("index status ", r"sqlite"),
    Typed("repair ", r"the database is whole"),
    _given("mv central-bank/data/chain lost; rm central-bank/data/index.sqlite*"),
    Typed("restore ", r"restored|block"),
    Turned(up=True),
)

DEVNET: Final[Sequence[Step]] = (
    Typed(
        "devnet up",
        r"DEVELOPMENT ONLY",
        keeps={"FIRST": r"central-bank +(http\S+)", "SECOND": r"finance-ministry +(http\S+)"},
    ),
    Typed("devnet status", r"crypto-council"),
    Typed("devnet time$", r"network time"),
    Typed("devnet time --by ", r"travelled +30 days"),
    Typed("devnet time --to ", r"travelled +1[45] days"),
    Typed("devnet logs ", r"committed|height"),
    Typed("status --url", r"one state at height"),
    Typed("status --trust", r"there is no snapshot to trust yet", exits=Exit.UNREACHABLE),
    Typed("top --json", r'"nodes"'),
    Watched("top --url ", "2 of 2 nodes answer"),
    Watched(
        'KHAZANA_URL="http://127.0.0.1:26680 http://127.0.0.1:26681" khazana top ', "2 of 2 nodes"
    ),
    Watched("status --watch ", "every 5 s; q ends it"),
    Watched("shell --url ", ">>> ", key=b"\x04"),
    Typed("upgrade status ", r"no upgrade is scheduled"),
    Typed("devnet kill ", r"crypto-council"),
    Typed("devnet down ", r"central-bank"),
)

UPGRADE: Final[Sequence[Step]] = (
    Typed("upgrade check ", r"ready|version 2"),
    Typed("upgrade propose ", r"proposal", keeps={"PROPOSAL": r"([0-9a-f]{64})"}),
    _given(
        """
khazana validator approve "$PROPOSAL" --account "$MINISTRY" --development finance-ministry/account
khazana validator approve "$PROPOSAL" --account tkhz1ljm5tvdykjszxlm0fsrveef7cql2gge8j6fzh7 \\
  --development virtual-asset-regulator/account
"""
    ),
    Typed("upgrade cancel ", r"proposal"),
)
"""On a network that began with the rules of version 1."""

PLAIN: Final[Sequence[Step]] = (
    Given("echo 'a passphrase of the treasury' | tee treasury.passphrase > voting.passphrase"),
    Typed("keys generate ", r"treasury\.json"),
    Typed("keys show ", r"[0-9a-f]{64}"),
    Typed("keys address ", r"tkhz12cc6tm6csj5xqfcfy6npzml0r6grhyhp62y7yw"),
    Typed("keys tls ", r"tls\.der"),
    Typed("keys development account-0 ", r"^account-1 +[0-9a-f]{64}"),
    Typed("keys development --all", r"^account-9$"),
    Typed("genesis create ", r"genesis\.json"),
    Typed("genesis check ", r"genesis"),
    Typed("genesis show ", r"central-bank"),
    Typed("init --name ", r"first-bank"),
    Typed("init --docker ", r"compose"),
    Typed("explain HOLDING_INSUFFICIENT", r"HOLDING_INSUFFICIENT"),
    Typed("explain -32005", r"-32005"),
    Typed("explain storage-locked", r"storage-locked"),
    Typed("tx operations$", r"announce_auction"),
    Typed("tx operations announce_auction", r"closes"),
    Typed("quote bill ", r"98\.3815"),
    Typed("quote interest --rate 11.5 ", r"287\.50|285"),
    Typed("quote interest --rate 7 ", r"3\.76"),
    Typed("quote switch ", r"97"),
    Typed("quote floater ", r"margin"),
    Typed("quote bond ", r"95\.0711"),
    Given("mkdir -p ~/.local/share/bash-completion/completions"),
    Typed("completion ", r"_KHAZANA_COMPLETE"),
)

LIFE: Final[Sequence[Step]] = (*MONEY, *DAYS, *LINES, *AUCTION, *HOME)

FIRST_PAGE: Final = (
    ("demo$", "make demo"),
    ("demo debt ", ".venv/bin/khazana demo debt"),
)
"""Examples that stand on the first page too, and the beginning of the line there that a test types
(`tests/cli/test_demo.py`).
"""
