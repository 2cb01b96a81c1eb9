import json
import logging

from django.db import DatabaseError, connection
from django.forms import ModelForm
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from guestbook.models import Entry

logger = logging.getLogger(__name__)

PAGE = 50


class EntryForm(ModelForm):
    class Meta:
        model = Entry
        fields = ["text"]


@require_http_methods(["GET", "HEAD", "POST"])
def entries(request):
    """The newest entries as a page; a POST adds one."""
    form = EntryForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        entry = form.save()
        logger.info("entry %d was added", entry.pk)
        return redirect("entries")
    newest = Entry.objects.order_by("-pk")[:PAGE]
    status = 400 if form.errors else 200
    return render(request, "guestbook/entries.html", {"entries": newest, "form": form}, status=status)


@require_safe
def entries_json(request):
    """All entries in the order of their writing, or those after the one that ?after= names, as a stream."""
    try:
        after = int(request.GET.get("after", "0"))
    except ValueError:
        return HttpResponse("after: a number is needed\n", status=400, content_type="text/plain")
    rows = Entry.objects.filter(pk__gt=after).order_by("pk").values("id", "text", "written")
    return StreamingHttpResponse(as_json(rows.iterator(chunk_size=500)), content_type="application/json")


def as_json(rows):
    """A JSON array, an element a line."""
    separator = "[\n"
    for row in rows:
        yield separator + json.dumps(row | {"written": row["written"].isoformat()})
        separator = ",\n"
    yield "[]\n" if separator == "[\n" else "\n]\n"


@never_cache
@require_safe
def healthz(request):
    """Whether this process reaches the database."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        logger.error("the database does not answer: %s", " ".join(str(error).split()))
        return HttpResponse("the database does not answer\n", status=503, content_type="text/plain")
    return HttpResponse("ok\n", content_type="text/plain")
