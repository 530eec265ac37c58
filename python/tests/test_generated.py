from prisma_audit import sync_audit_log


def test_the_sync_log_is_made_from_the_async_one() -> None:
    import generate_sync

    assert generate_sync.TARGET.read_text() == generate_sync.generated(), "run: python generate_sync.py"
    assert "await " not in sync_audit_log.__doc__
