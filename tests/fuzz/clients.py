"""What clients send to a server, what people type, and what a client is told."""

from typing import Final

import click

from node.addresses import AddressError, parse_address, render_address
from node.amounts import AmountError, parse_amount, render_amount
from node.cli.options import parse_id, parse_ids
from node.client import ClientError
from node.codec import encode
from node.config import parse_endpoint
from node.explorer.reading import parse_height
from node.explorer.refusals import PageRefusal
from node.ledger.dates import DatesError, parse_date
from node.rpc.errors import InvalidParams
from node.rpc.securities import parse_terms
from node.rpc.stream import Cursor
from node.stream.answers import Refused, parse_answer
from tests.fuzz import answering, seeds, serving
from tests.fuzz.harness import Form, Target, reading, seeds_of
from tests.ledger.debt import define_bond, define_sukuk


def _address(data: bytes) -> bytes:
    text = _argument(data)
    address = parse_address(text, test=True)
    assert render_address(address, test=True) == text.lower()
    return encode_address(address, capitals=text.isupper())


def encode_address(address: bytes, *, capitals: bool) -> bytes:
    text = render_address(address, test=True)
    return (text.upper() if capitals else text).encode()


def _amount(data: bytes) -> None:
    text = _argument(data)
    minor = parse_amount(text, decimals=2)
    assert parse_amount(render_amount(minor, decimals=2), decimals=2) == minor


class AnswerRefused(Exception):
    """What a server of streams says is no word that a message was stored, or why not."""


def _stream_answer(data: bytes) -> None:
    answer = parse_answer(data)
    if isinstance(answer, Refused):
        raise AnswerRefused(answer.reason)


def _cursor(data: bytes) -> bytes:
    return str(Cursor.parse(_argument(data))).encode()


def _terms(data: bytes) -> bytes:
    return encode(parse_terms(_argument(data))).hex().encode()


def _id(data: bytes) -> bytes | None:
    text = _argument(data)
    context, argument = click.Context(click.Command("query")), click.Argument(["id"])
    read = parse_id(context, argument, text)
    assert len(bytes.fromhex(read)) == 32
    assert parse_ids(context, argument, (text, text)) == (read, read)
    return read.encode() if text.islower() else None


def _endpoint(data: bytes) -> None:
    endpoint = parse_endpoint(_argument(data))
    assert parse_endpoint(str(endpoint)) == endpoint


def _height(data: bytes) -> None:
    text = _argument(data)
    height = parse_height(text)
    assert height == int(text) > 0


def _argument(data: bytes) -> str:
    """Return the text as a program gets its arguments."""
    return data.decode("utf-8", "surrogateescape")


def _day(data: bytes) -> None:
    parse_date(data.decode("utf-8", "replace"))


CLIENTS: Final[tuple[Target, ...]] = (
    Target(
        name="rpc",
        form=Form.JSON,
        opened=serving.rpc_server,
        refusals=(serving.InterfaceRefused,),
        seeds=seeds_of(serving.rpc_requests),
        doors=(
            "node.rpc.jsonrpc.parse",
            "node.rpc.jsonrpc.parse_strictly",
            "node.rpc.jsonrpc._convert",
            "node.rpc.views.Views.parse_address",
            "node.rpc.submissions.decode_text",
        ),
        examples=300,
    ),
    Target(
        name="stream-answer",
        form=Form.JSON,
        opened=reading(_stream_answer),
        refusals=(AnswerRefused,),
        seeds=seeds_of(seeds.stream_answers),
        doors=("node.stream.answers.parse_answer",),
    ),
    Target(
        name="submission",
        form=Form.MESSAGEPACK,
        opened=serving.submission_server,
        refusals=(serving.InterfaceRefused,),
        seeds=seeds_of(lambda: (encode(seeds.transactions()[:5]), encode((b"x",)))),
        doors=(
            "node.rpc.submissions.Submissions.decode_list",
            "node.rpc.http.read_body",
        ),
    ),
    Target(
        name="socket",
        form=Form.JSON,
        opened=serving.socket_server,
        refusals=(serving.InterfaceRefused,),
        seeds=seeds_of(serving.socket_requests),
        doors=("node.rpc.jsonrpc.parse", "node.rpc.stream.Cursor.parse"),
        examples=150,
    ),
    Target(
        name="cursor",
        form=Form.TEXT,
        opened=reading(_cursor),
        refusals=(ValueError,),
        seeds=lambda: (b"0-0", b"120-7", b"999999999999999999-999999999"),
        doors=("node.rpc.stream.Cursor.parse",),
    ),
    Target(
        name="terms",
        form=Form.TEXT,
        opened=reading(_terms),
        refusals=(InvalidParams,),
        seeds=lambda: (
            encode(define_bond().terms).hex().encode(),
            encode(define_sukuk().terms).hex().encode(),
        ),
        doors=("node.rpc.securities.parse_terms",),
    ),
    Target(
        name="address",
        form=Form.TEXT,
        opened=reading(_address),
        refusals=(AddressError,),
        seeds=lambda: (
            render_address(bytes(20), test=True).encode(),
            render_address(bytes(range(20)), test=True).upper().encode(),
        ),
        doors=(
            "node.addresses.parse_address",
            "node.addresses.decode_bech32m",
            "node.client.network.ClientNetwork.parse_address",
        ),
    ),
    Target(
        name="height-of-a-page",
        form=Form.TEXT,
        opened=reading(_height),
        refusals=(PageRefusal,),
        seeds=lambda: (b"1", b"42", b"999999999999999999"),
        doors=("node.explorer.reading.parse_height",),
    ),
    Target(
        name="amount",
        form=Form.TEXT,
        opened=reading(_amount),
        refusals=(AmountError,),
        seeds=lambda: (b"0", b"100.50", b"184467440737095516.15", b"7.1"),
        doors=("node.amounts.parse_amount",),
    ),
    Target(
        name="endpoint",
        form=Form.TEXT,
        opened=reading(_endpoint),
        refusals=(ValueError,),
        seeds=lambda: (b"central-bank:26600", b"10.0.0.1:0", b"[fe80::1]:65535"),
        doors=("node.config.endpoints.parse_endpoint",),
    ),
    Target(
        name="day",
        form=Form.TEXT,
        opened=reading(_day),
        refusals=(DatesError,),
        seeds=seeds_of(seeds.days),
        doors=("node.ledger.dates.civil.parse_date",),
    ),
    Target(
        name="id",
        form=Form.TEXT,
        opened=reading(_id),
        refusals=(click.BadParameter,),
        seeds=lambda: (b"ab" * 32, b"01" * 32),
        doors=("node.cli.options.parse_id", "node.cli.options.parse_ids"),
    ),
    Target(
        name="answer",
        form=Form.JSON,
        opened=answering.meetings,
        refusals=(ClientError,),
        seeds=seeds_of(answering.answers_to_meetings),
        doors=("node.client.transport._decoded",),
    ),
    Target(
        name="answer-page",
        form=Form.JSON,
        opened=answering.pages,
        refusals=(ClientError,),
        seeds=seeds_of(answering.answers_to_pages),
        doors=("node.client.reading.decoded",),
    ),
    Target(
        name="answer-list",
        form=Form.MESSAGEPACK,
        opened=answering.lists,
        refusals=(ClientError,),
        seeds=seeds_of(answering.answers_to_lists),
        doors=("node.client.transport.Transport.submit_list",),
    ),
    Target(
        name="notification",
        form=Form.JSON,
        opened=reading(answering.message),
        refusals=(ClientError,),
        seeds=seeds_of(answering.messages),
        doors=("node.client.subscriptions.read_message",),
    ),
)
