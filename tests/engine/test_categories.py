"""The described categories of default_config.json against sentences of every one of them, with the real embedder."""

import json
from pathlib import Path

import numpy as np
import pytest

from app.database import Database
from app.engine.categories import Categoriser, Prototype
from app.engine.engine import Engine
from app.settings import ROOT

DEFAULTS = json.loads((ROOT / "default_config.json").read_text())

# What a memory may say, and the categories that fit it; the first is the one to be found.
CASES = [
    ("My name is Alice, I am 34 years old and I grew up in a small town near Lisbon.", "personal"),
    ("I was born on the 12th of March 1990.", "personal"),
    ("Tom lives in an apartment in Berlin with a view of the river.", "personal"),
    ("My sister Emma is getting married to her boyfriend in June.", "relationships"),
    ("Caroline and her best friend have known each other since kindergarten.", "relationships|personal"),
    ("We adopted a puppy last week and the kids named him Biscuit.", "relationships"),
    ("I prefer dark mode and short answers without bullet points.", "preferences"),
    ("His favourite colour is green and he dislikes coffee.", "preferences|personal"),
    ("I am a vegetarian and I love spicy Thai food.", "preferences|health"),
    ("The doctor prescribed me antibiotics for the infection.", "health"),
    ("I am allergic to peanuts and shellfish.", "health|preferences"),
    ("She goes to yoga three times a week because her back hurts.", "health"),
    ("We are flying to Tokyo in April and staying at a hotel in Shinjuku.", "travel"),
    ("Last summer they went camping in the mountains and drove along the coast.", "travel"),
    ("My passport expires in October, before the trip to Brazil.", "travel|organization"),
    ("I started a new job as a nurse at the city hospital.", "work|health"),
    (
        "My manager wants the quarterly figures before the client meeting.",
        "work|organization|finance|messages|projects",
    ),
    ("He was promoted to head of sales after the interview.", "work"),
    ("I am taking a course in organic chemistry at the university.", "education"),
    ("Her final exams are in June and then she has her degree.", "education"),
    ("Learning Spanish with a tutor every Tuesday evening.", "education|organization"),
    ("The prototype of the weather station is finished; the next milestone is the case.", "projects"),
    ("We are renovating the kitchen and the tiles should be done by Friday.", "projects|organization"),
    ("The release of version two of our project slipped by two weeks.", "projects|work|product feedback"),
    ("We fine-tune a language model on our own GPUs.", "ai, ml & technology|projects"),
    ("The service is written in Rust and stores its data in PostgreSQL.", "ai, ml & technology"),
    ("I use Python with FastAPI for the backend API.", "ai, ml & technology|preferences"),
    ("The installer stops with error 0x80070005 and the app crashes at start.", "technical support"),
    ("Restarting the router fixed the connection problem.", "technical support"),
    ("The printer driver fails after the update, I cannot print anything.", "technical support|customer support"),
    ("I put 500 euros a month into an index fund.", "finance"),
    ("The mortgage on our house has a rate of 3 percent.", "finance|personal"),
    ("My salary is 60,000 dollars and I still have a student loan to pay back.", "finance|work|education"),
    ("Buy milk, eggs and bread on the way home.", "shopping|organization"),
    ("I ordered a pair of running shoes in size 42, they were on sale.", "shopping"),
    ("She needs a birthday gift for her nephew, perhaps a Lego set.", "shopping|relationships"),
    ("Our lawyer says the contract can be terminated with three months' notice.", "legal"),
    ("The lawsuit about the patent goes to court in May.", "legal"),
    ("We must comply with the GDPR when we store customer data.", "legal"),
    ("We watched the new Batman film and then two episodes of a series.", "entertainment"),
    ("I play the guitar in a band and we have a concert on Saturday.", "entertainment|organization|personal"),
    ("She is reading a fantasy novel by Ursula Le Guin.", "entertainment|education"),
    ("Please forward the email from Mark to the whole team.", "messages|organization|work"),
    ("Anna left a voicemail asking me to call her back.", "messages"),
    ("Draft a reply to the landlord's letter.", "messages|legal"),
    ("The customer wants a refund because the parcel never arrived.", "customer support|shopping"),
    ("I want to cancel my subscription, the support hotline does not answer.", "customer support|messages"),
    ("Ticket 4711: the client cannot log in to his account.", "customer support|technical support"),
    (
        "Users find the new checkout page confusing and ask for a guest option.",
        "product feedback|customer support|shopping",
    ),
    ("It would be great if the app had an offline mode.", "product feedback|ai, ml & technology"),
    ("Five stars: the battery lasts two days, but the camera could be better.", "product feedback|ai, ml & technology"),
    ("The government announced early elections after the coalition broke apart.", "news"),
    ("An earthquake of magnitude 6 struck the coast last night, the media report.", "news"),
    ("The central bank raised interest rates, according to this morning's headlines.", "news|finance"),
    ("Remind me on Monday to book a dentist appointment.", "organization|health"),
    ("My calendar for next week: standup at nine, lunch with Ben on Wednesday.", "organization|work"),
    ("The weekly review of my to-do list is on Sunday evening.", "organization"),
    ("I want to run a marathon before I turn forty.", "goals|health"),
    ("My resolution for this year is to write a book.", "goals|entertainment"),
    ("Her dream is to open her own bakery one day.", "goals|work"),
]

# What deserves no category.
CHATTER = [
    "Hello there!",
    "ok",
    "Thanks a lot, that was nice of you.",
    "Hey, how are you doing today?",
    "Wow, really?",
    "Haha yes.",
    "See you later!",
    "Sounds good to me.",
    "Hmm, I am not sure about that.",
    "That is great, congratulations!",
    "You're welcome.",
    "Good morning.",
    "Let me think about it.",
    "What do you mean?",
    "Absolutely, I agree with you.",
]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    home: Path = tmp_path_factory.mktemp("engine")
    engine = Engine(Database(f"sqlite:///{home / 'none.db'}"), home, 2**20)
    engine.use(engine.build(DEFAULTS))
    return engine


def found(engine: Engine, texts: list[str]) -> list[list[str]]:
    return engine.categories(engine.embed(texts), len(texts))


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("My name is Alice, I am 34 years old and I grew up in a small town near Lisbon.", "personal"),
        ("His favourite colour is green and he dislikes coffee.", "preferences"),
        ("She goes to yoga three times a week because her back hurts.", "health"),
        ("We are flying to Tokyo in April and staying at a hotel in Shinjuku.", "travel"),
        ("I started a new job as a nurse at the city hospital.", "work"),
        ("Learning Spanish with a tutor every Tuesday evening.", "education"),
        ("The prototype of the weather station is finished; the next milestone is the case.", "projects"),
        ("We fine-tune a language model on our own GPUs.", "ai, ml & technology"),
        ("The installer stops with error 0x80070005 and the app crashes at start.", "technical support"),
        ("I put 500 euros a month into an index fund.", "finance"),
        ("Our lawyer says the contract can be terminated with three months' notice.", "legal"),
        ("Anna left a voicemail asking me to call her back.", "messages"),
        ("The customer wants a refund because the parcel never arrived.", "customer support"),
        ("Users find the new checkout page confusing and ask for a guest option.", "product feedback"),
        ("An earthquake of magnitude 6 struck the coast last night, the media report.", "news"),
        ("The weekly review of my to-do list is on Sunday evening.", "organization"),
        ("My resolution for this year is to write a book.", "goals"),
    ],
)
def test_obvious_examples_are_recognised(engine: Engine, text: str, category: str) -> None:
    assert category in found(engine, [text])[0]


def test_most_memories_get_a_category_and_few_a_wrong_one(engine: Engine) -> None:
    answers = found(engine, [text for text, _ in CASES])
    wanted = [fitting.split("|") for _, fitting in CASES]
    given = [(name, fits) for names, fits in zip(answers, wanted, strict=True) for name in names]
    precision = np.mean([name in fits for name, fits in given])
    recall = np.mean([fits[0] in names for names, fits in zip(answers, wanted, strict=True)])
    assert precision >= 0.8
    assert recall >= 0.7
    assert max(map(len, answers)) <= DEFAULTS["openmemory"]["max_categories"]


def test_every_category_is_reached(engine: Engine) -> None:
    reached = {name for names in found(engine, [text for text, _ in CASES]) for name in names}
    assert reached == {category["name"] for category in DEFAULTS["openmemory"]["categories"]}


def test_chatter_deserves_none(engine: Engine) -> None:
    assert sum(map(bool, found(engine, CHATTER))) <= 1


def test_names_come_nearest_first_up_to_the_most() -> None:
    prototypes = [Prototype(name, "") for name in ("east", "north", "up")]
    categoriser = Categoriser(prototypes, np.eye(3, dtype=np.float32), 0.5, 2)
    vectors = np.array([[0.6, 0.8, 0.0], [0.0, 0.1, 0.2], [0.58, 0.57, 0.59]], dtype=np.float32)
    assert categoriser.categories(vectors) == [["north", "east"], [], ["up", "east"]]


def test_without_prototypes_or_vectors_there_are_none() -> None:
    empty = np.empty((0, 3), dtype=np.float32)
    assert Categoriser([], empty, 0.5, 2).categories(np.eye(3, dtype=np.float32)) == [[], [], []]
    assert Categoriser([Prototype("a", "")], np.eye(1, 3, dtype=np.float32), 0.5, 2).categories(empty) == []
